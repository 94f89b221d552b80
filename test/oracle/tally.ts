/** What was asked how often, and how often in vain: a reader sees what a run has covered. */
import type { Observation } from './mask.ts'
import type { Seen } from './player.ts'
import type { Step } from './script.ts'

interface Count {
  asked: number
  refused: number
}

export class Tally {
  readonly #operations = new Map<string, Count>()
  readonly #faults = new Map<string, number>()
  #events = 0

  note(step: Step, seen: Seen): void {
    if (step.act !== 'ask') add(this.#faults, step.act === 'intrude' ? step.as : step.act)
    for (const observation of [...seen.values()].flat()) this.#noteOne(observation)
  }

  /** The most frequent first. */
  line(): string {
    const asked = [...this.#operations]
      .toSorted(([, a], [, b]) => b.asked - a.asked)
      .map(([name, count]) => `${name} ${count.asked} (${count.refused})`)
    const faults = [...this.#faults]
      .toSorted(([, a], [, b]) => b - a)
      .map(([name, count]) => `${name} ${count}`)
    return `answered (refused): ${asked.join(', ')}; events ${this.#events}; ${faults.join(', ')}`
  }

  #noteOne(seen: Observation): void {
    if (seen.saw === 'event') this.#events += 1
    if (seen.saw !== 'reply' || seen.request === undefined) return
    const { op, raw, code } = seen.request
    const name = raw !== undefined ? `damaged ${op}` : code !== undefined ? 'unknown' : op
    const count = this.#operations.get(name) ?? { asked: 0, refused: 0 }
    this.#operations.set(name, count)
    count.asked += 1
    if (seen.err !== 0 || isRefusedInside(seen.body)) count.refused += 1
  }
}

/** A multi that failed tells so for each of its operations only. */
const isRefusedInside = (body: unknown): boolean =>
  Array.isArray(body) && body.some((result) => typeof result === 'number' && result !== 0)

const add = (counts: Map<string, number>, name: string): void => {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}
