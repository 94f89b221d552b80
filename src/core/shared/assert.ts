/**
 * A law of ours was broken. Never caught inside the core: the actor dies and rebuilds itself from its store, so a
 * wrong member costs liveness and not correctness.
 */
export class BrokenInvariant extends Error {
  override name = 'BrokenInvariant'
}

/** States a law in words a log reader understands; one claim a line. */
export function invariant(holds: boolean, law: string): asserts holds {
  if (!holds) throw new BrokenInvariant(law)
}

/** Makes the compiler prove that a union was exhausted. */
export function unreachable(value: never): never {
  throw new BrokenInvariant(`unreachable: ${String(value)}`)
}
