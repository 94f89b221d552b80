/** What a bridge tells the one who runs it: one line an event, and for one trouble one line in a while. */
import { limits } from '../core/shared/limits.ts'

export interface Paper {
  note(line: string): void
  complain(line: string): void
}

export class Journal {
  readonly #isVerbose: boolean
  readonly #paper: Paper
  /** Troubles told of lately, and how often each has come since. */
  readonly #troubles = new Map<string, number>()

  constructor(isVerbose: boolean, paper: Paper = terminal) {
    this.#isVerbose = isVerbose
    this.#paper = paper
  }

  note(line: string): void {
    this.#paper.note(line)
  }

  /** Of interest with --verbose. */
  detail(line: string): void {
    if (this.#isVerbose) this.#paper.note(line)
  }

  /** Told at once; when it goes on, how often. */
  trouble(line: string): void {
    const more = this.#troubles.get(line)
    this.#troubles.set(line, more === undefined ? 0 : more + 1)
    if (more !== undefined) return
    this.#paper.complain(line)
    this.#sumUpLater(line)
  }

  #sumUpLater(line: string): void {
    const sumUp = () => {
      const more = this.#troubles.get(line) ?? 0
      this.#troubles.delete(line)
      if (more === 0) return
      this.#paper.complain(`${line} (${more} more in ${limits.sameTroubleMs / 1000} s)`)
      this.#troubles.set(line, 0)
      this.#sumUpLater(line)
    }
    setTimeout(sumUp, limits.sameTroubleMs).unref()
  }
}

const terminal: Paper = {
  note: (line) => console.log(line),
  complain: (line) => console.error(line),
}
