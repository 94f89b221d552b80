/**
 * Whether a leader waits with a batch for those it has just answered. Where many clients ask, wait and ask again, a commit
 * answers a part of them, and at that moment only the others' requests are here; proposed at once, they are a batch of their
 * own, and so are the next ones, for ever: as many flushes as there are session actors, where one would do. So the batch is
 * put off until about as many wait as were just seen, or for a moment. Whose clients do not come back is left alone for longer
 * and longer.
 */
import { limits } from './shared/limits.ts'
import type { Zxid } from './shared/units.ts'

export class Gathering {
  /** The last txn that was applied when nothing was under way. */
  #from: Zxid
  /** So many are to wait; 0: nothing is put off. */
  #wanted = 0
  #untilMs = Infinity
  /** Commits that are still not followed by a wait. */
  #skips = 0
  /** And so many after the next wait for nothing. */
  #nextSkips = 1

  /** `from`: the zxid before the first of this reign. */
  constructor(from: Zxid) {
    this.#from = from
  }

  /** When a batch that is put off is due; Infinity: none is. */
  get untilMs(): number {
    return this.#wanted === 0 ? Infinity : this.#untilMs
  }

  /** Everything that was proposed is applied, through this zxid, and so many requests came meanwhile. */
  committed(nowMs: number, through: Zxid, waiting: number): void {
    const seen = through - this.#from + waiting
    this.#from = through
    this.#wanted = 0
    if (seen < limits.gatheredFrom) return
    if (this.#skips > 0) this.#skips -= 1
    else {
      this.#wanted = Math.min(seen * limits.gatheredPart, limits.gatheredMost)
      this.#untilMs = nowMs + limits.gatheringMs
    }
  }

  /** So many wait to be proposed: are they to wait for more? */
  putsOff(nowMs: number, waiting: number): boolean {
    if (this.#wanted === 0) return false
    const isEnough = waiting >= this.#wanted
    if (!isEnough && nowMs < this.#untilMs) return true
    this.#wanted = 0
    this.#skips = isEnough ? 0 : this.#nextSkips
    this.#nextSkips = isEnough ? 1 : Math.min(2 * this.#nextSkips, limits.gatheringSkipsMax)
    return false
  }
}
