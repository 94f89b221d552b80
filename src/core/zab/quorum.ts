import type { Sid, Zxid } from '../shared/units.ts'

/** Which sets of voters may decide. Any two of them share a member. */
export interface QuorumVerifier {
  readonly voters: readonly Sid[]
  /** Whether these hold a quorum; who is no voter does not count. */
  isQuorum(sids: Iterable<Sid>): boolean
}

/** More than half of the voters. */
export class Majority implements QuorumVerifier {
  readonly voters: readonly Sid[]

  constructor(voters: readonly Sid[]) {
    this.voters = voters
  }

  isQuorum(sids: Iterable<Sid>): boolean {
    let votes = 0
    for (const sid of new Set(sids)) if (this.voters.includes(sid)) votes += 1
    return votes * 2 > this.voters.length
  }
}

/** The highest zxid that a quorum has acknowledged, undefined if no quorum has acknowledged any. */
export function highestAgreed(
  quorum: QuorumVerifier,
  acked: ReadonlyMap<Sid, Zxid>,
): Zxid | undefined {
  const falling = [...acked].toSorted(([, a], [, b]) => b - a)
  for (let count = 1; count <= falling.length; count++) {
    const atLeast = falling.slice(0, count)
    if (quorum.isQuorum(atLeast.map(([sid]) => sid))) return atLeast[count - 1]?.[1]
  }
  return undefined
}
