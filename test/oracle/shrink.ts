/** The shortest part of a script that still shows a difference (delta debugging, Zeller and Hildebrandt 2002). */
export async function shrink<T>(
  steps: readonly T[],
  shows: (part: readonly T[]) => Promise<boolean>,
  untilMs: number,
): Promise<readonly T[]> {
  let kept = steps
  let size = Math.ceil(kept.length / 2)
  while (size >= 1 && performance.now() < untilMs) {
    const shorter = await withoutSome(kept, size, shows, untilMs)
    if (shorter === undefined) {
      if (size === 1) break
      size = Math.ceil(size / 2)
    } else {
      kept = shorter
      size = Math.min(size, Math.ceil(kept.length / 2))
    }
  }
  return kept
}

/** Leaves out `size` steps in a row, the last ones first. */
async function withoutSome<T>(
  steps: readonly T[],
  size: number,
  shows: (part: readonly T[]) => Promise<boolean>,
  untilMs: number,
): Promise<readonly T[] | undefined> {
  for (let to = steps.length; to > 0 && performance.now() < untilMs; to -= size) {
    const from = Math.max(0, to - size)
    const part = [...steps.slice(0, from), ...steps.slice(to)]
    if (part.length > 0 && (await shows(part))) return part
  }
  return undefined
}
