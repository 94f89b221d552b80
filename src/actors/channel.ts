/**
 * Messages in order between two actors, both ways, over calls that may go either way.
 *
 * What waits when a call goes out goes with it, and a call's answer carries what waits at the other end. An end that
 * owes something holds one answer open, so that a reply needs no call of its own; a newer call releases the older
 * answer, so the small window of calls never blocks. Messages are numbered: calls and answers may overtake each other,
 * and a repeat, a gap that does not close or an error ends the channel.
 */
import { limits } from '../core/shared/limits.ts'
import { TransitMap } from '../core/shared/transit-map.ts'

export interface ChannelEnds {
  /** Carries a message to the other end; resolves with its answer. */
  call(message: Uint8Array): Promise<Uint8Array>
  /** Takes what the other end said. A throw ends the channel. */
  receive(payload: Uint8Array): void
  /** Does this end expect to have something to say soon? */
  owes(): boolean
  /** The channel is over; called once. */
  lost(why: string): void
}

const headBytes = 4

export class Channel {
  readonly #ends: ChannelEnds
  readonly #deadlineMs: number
  #waiting: Uint8Array[] = []
  #nextOut = 0
  #nextIn = 0
  readonly #early = new TransitMap<number, Uint8Array>()
  #callsInFlight = 0
  #oldestCallMs = 0
  #heldAnswer: ((message: Uint8Array) => void) | undefined
  #rejectHeld: ((reason: Error) => void) | undefined
  #isTaking = false
  #over: string | undefined
  #watchdog: ReturnType<typeof setTimeout> | undefined

  constructor(ends: ChannelEnds, deadlineMs: number, from?: { nextOut: number; nextIn: number }) {
    this.#ends = ends
    this.#deadlineMs = deadlineMs
    this.#nextOut = from?.nextOut ?? 0
    this.#nextIn = from?.nextIn ?? 0
  }

  /** Nothing waits, nothing is under way. */
  get isQuiet(): boolean {
    return this.#waiting.length === 0 && this.#callsInFlight === 0 && this.#early.size === 0
  }

  /** Where the numbering stands, to go on after hibernation. */
  get position(): { readonly nextOut: number; readonly nextIn: number } {
    return { nextOut: this.#nextOut, nextIn: this.#nextIn }
  }

  /** Puts a payload in the queue; `flush` sends it. */
  send(payload: Uint8Array): void {
    if (this.#over !== undefined) return
    this.#waiting.push(payload)
  }

  /** Sends what waits: by the answer that is held open, or by calls. To be called at the end of a turn. */
  flush(): void {
    if (this.#isTaking || this.#over !== undefined) return
    if (this.#heldAnswer !== undefined && (this.#waiting.length > 0 || !this.#ends.owes())) {
      this.#releaseAnswer()
    }
    while (this.#waiting.length > 0 && this.#callsInFlight < limits.callsInFlightMax) this.#call()
  }

  /** Nothing will be said for a while: no timer of ours keeps the actor awake. */
  rest(): void {
    if (this.#callsInFlight > 0 || this.#watchdog === undefined) return
    clearTimeout(this.#watchdog)
    this.#watchdog = undefined
  }

  /** An empty call: finds out whether the other end still knows us. */
  probe(): void {
    if (this.#over === undefined && this.#callsInFlight === 0) this.#call()
  }

  /** Takes a call of the other end; resolves with what this end has to say. Rejects if the channel is over. */
  answer(message: Uint8Array): Promise<Uint8Array> {
    if (this.#over !== undefined) return Promise.reject(new Error(this.#over))
    this.#take(message)
    // Taking it may have ended the channel.
    const over = this.#over as string | undefined
    if (over !== undefined) return Promise.reject(new Error(over))
    if (this.#heldAnswer !== undefined) this.#releaseAnswer()
    if (this.#waiting.length > 0 || !this.#ends.owes()) return Promise.resolve(this.#nextMessage())
    return new Promise((resolve, reject) => {
      this.#heldAnswer = resolve
      this.#rejectHeld = reject
    })
  }

  /** Ends the channel from this side; `lost` is not called. */
  close(why: string): void {
    if (this.#over !== undefined) return
    this.#over = why
    this.#rejectHeld?.(new Error(why))
    this.#heldAnswer = undefined
    this.#rejectHeld = undefined
    this.#waiting = []
    if (this.#watchdog !== undefined) clearTimeout(this.#watchdog)
  }

  #fail(why: string): void {
    if (this.#over !== undefined) return
    this.close(why)
    this.#ends.lost(why)
  }

  #releaseAnswer(): void {
    const resolve = this.#heldAnswer
    this.#heldAnswer = undefined
    this.#rejectHeld = undefined
    resolve?.(this.#nextMessage())
  }

  #call(): void {
    this.#callsInFlight += 1
    if (this.#callsInFlight === 1) this.#oldestCallMs = Date.now()
    this.#watch()
    this.#ends.call(this.#nextMessage()).then(
      (answer) => {
        this.#callsInFlight -= 1
        this.#oldestCallMs = Date.now()
        if (this.#over !== undefined) return
        this.#take(answer)
        this.flush()
      },
      (fault: unknown) => {
        this.#callsInFlight -= 1
        this.#fail(fault instanceof Error ? fault.message : String(fault))
      },
    )
  }

  /** The platform has no deadline for calls: a call to a frozen peer would hang for ever. */
  #watch(): void {
    if (this.#watchdog !== undefined) return
    this.#watchdog = setTimeout(() => {
      this.#watchdog = undefined
      if (this.#over !== undefined || this.#callsInFlight === 0) return
      if (Date.now() - this.#oldestCallMs < this.#deadlineMs) this.#watch()
      else this.#fail(`no answer within ${this.#deadlineMs} ms`)
    }, this.#deadlineMs)
  }

  #take(message: Uint8Array): void {
    if (message.length < headBytes) return this.#fail('a message without its number')
    const view = new DataView(message.buffer, message.byteOffset, message.byteLength)
    const number = view.getUint32(0)
    const ahead = (number - this.#nextIn) >>> 0
    if (ahead > limits.earlyMessagesMax)
      return this.#fail(`message ${number}, expected ${this.#nextIn}`)
    this.#early.set(number, message)
    this.#isTaking = true
    try {
      for (;;) {
        const next = this.#early.get(this.#nextIn)
        if (next === undefined || this.#over !== undefined) break
        this.#early.delete(this.#nextIn)
        this.#nextIn = (this.#nextIn + 1) >>> 0
        if (next.length > headBytes) this.#ends.receive(next.subarray(headBytes))
      }
    } catch (fault) {
      this.#fail(fault instanceof Error ? fault.message : String(fault))
    } finally {
      this.#isTaking = false
    }
  }

  /** The next numbered message with as much of the queue as one call may carry. */
  #nextMessage(): Uint8Array {
    let [count, bytes] = [0, 0]
    while (count < this.#waiting.length) {
      const length = (this.#waiting[count] as Uint8Array).length
      if (count > 0 && bytes + length > limits.linkMessageBytesMax) break
      bytes += length
      count += 1
    }
    const message = new Uint8Array(headBytes + bytes)
    new DataView(message.buffer).setUint32(0, this.#nextOut)
    this.#nextOut = (this.#nextOut + 1) >>> 0
    let at = headBytes
    for (const payload of this.#waiting.splice(0, count)) {
      message.set(payload, at)
      at += payload.length
    }
    return message
  }
}
