/** What several runs say together. */

export interface Spread {
  readonly median: number
  readonly low: number
  readonly high: number
}

/** The middle of a few runs with the least and the most: of so few, quartiles would say less. */
export function spreadOf(values: readonly number[]): Spread {
  if (values.length === 0) throw new Error('a spread of no values')
  return { median: median(values), low: Math.min(...values), high: Math.max(...values) }
}

export const median = (values: readonly number[]): number => quantile(values, 0.5)

/** Linear between the two nearest values. */
export function quantile(values: readonly number[], part: number): number {
  if (values.length === 0) throw new Error('a quantile of no values')
  const sorted = [...values].sort((a, b) => a - b)
  const at = part * (sorted.length - 1)
  const below = sorted[Math.floor(at)] as number
  const above = sorted[Math.ceil(at)] as number
  return below + (above - below) * (at - Math.floor(at))
}

/** Run by run, because what slowed the machine slowed both of a pair. */
export const ratiosOf = (ours: readonly number[], theirs: readonly number[]): number[] =>
  ours.slice(0, theirs.length).map((value, run) => value / (theirs[run] as number))

/** Smallest difference that is kept apart is 1/32 of a value. */
const stepsLog = 5
const steps = 1 << stepsLog

/** Latencies, counted and not kept: adding one allocates nothing. */
export class Histogram {
  // 2^32 µs are over an hour.
  readonly #counts = new Uint32Array((32 - stepsLog + 1) * steps)
  #total = 0

  get total(): number {
    return this.#total
  }

  add(ms: number): void {
    const micros = Math.max(0, Math.min(Math.round(ms * 1000), 0xffff_ffff))
    const at = bucketOf(micros)
    this.#counts[at] = (this.#counts[at] as number) + 1
    this.#total += 1
  }

  /** The value that this part of all stay at or below, ms; NaN when there is none. */
  quantile(part: number): number {
    let left = Math.max(1, Math.ceil(part * this.#total))
    for (const [at, count] of this.#counts.entries()) {
      left -= count
      if (left <= 0) return middleOf(at) / 1000
    }
    return NaN
  }
}

function bucketOf(micros: number): number {
  if (micros < steps) return micros
  const shift = 31 - Math.clz32(micros) - stepsLog
  return (shift << stepsLog) + (micros >>> shift)
}

function middleOf(bucket: number): number {
  if (bucket < 2 * steps) return bucket
  const shift = (bucket >>> stepsLog) - 1
  return ((bucket & (steps - 1)) + steps + 0.5) * 2 ** shift
}
