/** How long nobody's write is acknowledged after a leader's death, and how long each writer waits for its own. */
import type { History } from './history.ts'

export class Outages {
  readonly #history: History
  readonly #any: number[] = []
  readonly #each: number[] = []

  constructor(history: History) {
    this.#history = history
  }

  /** The leader dies now: what is sent from now on counts. */
  begin(): void {
    const diedMs = performance.now()
    const back = new Set<string>()
    const stop = this.#history.onAcknowledged((writer, sentMs, ackedMs) => {
      if (sentMs < diedMs || back.has(writer)) return
      if (back.size === 0) this.#any.push(ackedMs - diedMs)
      back.add(writer)
      this.#each.push(ackedMs - diedMs)
    })
    // A writer that is not back by then is another death's.
    setTimeout(stop, 60_000).unref()
  }

  summary(): string {
    if (this.#any.length === 0) return 'it did not die'
    return `next write p50 ${at(this.#any, 0.5)} p99 ${at(this.#any, 0.99)} (${this.#any.length} deaths); each writer's own p50 ${at(this.#each, 0.5)} p99 ${at(this.#each, 0.99)}`
  }
}

function at(values: readonly number[], part: number): string {
  const sorted = [...values].sort((a, b) => a - b)
  const value = sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0
  return value < 10_000 ? `${value.toFixed(0)} ms` : `${(value / 1000).toFixed(1)} s`
}
