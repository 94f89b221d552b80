/**
 * A peer said what it cannot say: malformed, out of turn, or against a promise. Thrown where it is noticed, caught once
 * in `member.ts`: the peer loses its link, with a log line, and synchronizes anew.
 */
export class PeerFault extends Error {
  override name = 'PeerFault'
}

/** What must hold of a peer's words; one claim a line. Our own laws are `invariant`. */
export function demand(holds: boolean, fault: string): asserts holds {
  if (!holds) throw new PeerFault(fault)
}
