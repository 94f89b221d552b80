/**
 * Requests that wait because a member has too many under way at the leader (RequestThrottler). First in, first out, over
 * all sessions: nobody is passed by.
 */
import type { Attachment, Queued } from './attachment.ts'

export interface Throttled {
  readonly attachment: Attachment
  readonly queued: Queued
}

export class Throttle {
  readonly #maxUnderWay: number
  readonly #waitTimeMs: number
  #waiting: Throttled[] = []
  #first = 0

  /** 0: no limit; they wait as long as it takes. */
  constructor(maxUnderWay: number, waitTimeMs: number) {
    this.#maxUnderWay = maxUnderWay
    this.#waitTimeMs = waitTimeMs
  }

  /** Must one more request wait? */
  holdsBack(underWay: number): boolean {
    return this.#maxUnderWay > 0 && (underWay >= this.#maxUnderWay || this.#hasWaiting)
  }

  hold(throttled: Throttled): void {
    this.#waiting.push(throttled)
  }

  /** The next one whose turn it is, or whose time is over; undefined: all go on waiting. */
  next(underWay: number, nowMs: number): (Throttled & { readonly isLate: boolean }) | undefined {
    const throttled = this.#waiting[this.#first]
    if (throttled === undefined) return undefined
    const isLate = nowMs >= this.#deadlineOf(throttled)
    if (!isLate && underWay >= this.#maxUnderWay) return undefined
    this.#first += 1
    if (this.#first === this.#waiting.length) this.clear()
    return { ...throttled, isLate }
  }

  /** Is it somebody's turn already? */
  isNextDue(underWay: number): boolean {
    return this.#hasWaiting && underWay < this.#maxUnderWay
  }

  /** When the oldest has waited too long; Infinity: nobody waits, or for ever. */
  get wakeAtMs(): number {
    const throttled = this.#waiting[this.#first]
    return throttled === undefined ? Infinity : this.#deadlineOf(throttled)
  }

  clear(): void {
    this.#waiting = []
    this.#first = 0
  }

  get #hasWaiting(): boolean {
    return this.#first < this.#waiting.length
  }

  #deadlineOf({ queued }: Throttled): number {
    return this.#waitTimeMs === 0 ? Infinity : queued.atMs + this.#waitTimeMs
  }
}
