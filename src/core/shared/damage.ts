/**
 * A store gave back something else than what was written. Never caught inside the core: the member no longer knows what
 * it acknowledged, and must not speak as if it did (docs/decisions/0007).
 */
export class Damage extends Error {
  override name = 'Damage'
}

/** What must hold of what a store gives back; one claim a line. */
export function sound(holds: boolean, fault: string): asserts holds {
  if (!holds) throw new Damage(fault)
}
