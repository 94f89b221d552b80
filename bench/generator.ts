/**
 * The load: sessions that keep a number of requests under way and check every reply. It shares the machine with the
 * servers, so a reply costs it no allocation, requests are copied from bodies encoded before, and a turn writes once.
 */
import { opcodes, xids } from '../src/core/wire/opcodes.ts'
import { writeConnectRequest } from '../src/core/wire/packets.ts'
import type { Dial, Link } from './links.ts'
import type { Histogram } from './statistics.ts'

/** What a session asks, request by request. */
export interface Work {
  /** No request is longer. */
  readonly requestBytesMax: number
  /** A reply whose body is shorter is wrong. */
  readonly replyBytesMin: number
  /** The next request with its length in front; whose xid is the session's to write. Copied before the next is asked for. */
  next(): Uint8Array
  /** Given where the body of each reply is; the requests are answered in the order in which `next` gave them. */
  readonly replied?: (bytes: Buffer, from: number, to: number) => void
}

/** What all sessions of a run count together. */
export interface Tally {
  replies: number
  errors: number
  /** What the first wrong reply was. */
  firstError: string | undefined
  readonly latencies: Histogram
  lastReplyAt: number
}

export interface Until {
  /** In performance.now(). */
  readonly deadlineMs?: number
  readonly requests?: number
}

/** Length, xid, zxid, err. A ConnectResponse begins with as many bytes too. */
const headBytes = 20
const sessionTimeoutMs = 40_000
/** More requests than any session has under way. */
const ringSize = 4096

export class LoadSession {
  readonly #dial: Dial
  #link: Link | undefined
  readonly #sentAt = new Float64Array(ringSize)
  #xid = 0
  #expected = 1
  #window = 0
  #left = 0
  #deadlineMs = 0
  #work: Work | undefined
  #tally: Tally | undefined
  #finished: ((error?: Error) => void) | undefined
  #pinged: ((error?: Error) => void) | undefined

  // The frame that is being read.
  readonly #head = Buffer.allocUnsafe(headBytes)
  #headHave = 0
  #bodyLeft = 0
  #bodyLength = 0
  #body: Buffer | undefined
  #isGreeted: boolean

  /** Of the session the server gave it. */
  id = 0n
  /** Called for every watch event. */
  onEvent: (() => void) | undefined
  /** A link that closes while nothing is under way. */
  isClosed = false

  private constructor(dial: Dial, greets: boolean) {
    this.#dial = dial
    this.#isGreeted = !greets
  }

  /** Connects. `greets`: whoever is there speaks ZooKeeper and begins with a session. */
  static async open(dial: Dial, greets = true): Promise<LoadSession> {
    const session = new LoadSession(dial, greets)
    await session.#open(greets)
    return session
  }

  /** Resolves when everything that was sent is answered; rejects when the link is lost. */
  run(work: Work, window: number, until: Until, tally: Tally): Promise<void> {
    if (window >= ringSize) throw new Error(`at most ${ringSize - 1} requests under way`)
    this.#work = work
    this.#tally = tally
    this.#window = window
    this.#left = until.requests ?? Infinity
    this.#deadlineMs = until.deadlineMs ?? Infinity
    return this.#finishing(() => this.#fill(performance.now()))
  }

  /** So that a session at rest does not expire. */
  ping(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#pinged = (error) => (error === undefined ? resolve() : reject(error))
      if (this.isClosed) this.#pinged(new Error('the connection is closed'))
      else this.#write(headerOnly(xids.ping, opcodes.ping.code))
    })
  }

  /** Ends the session, as a client that leaves does. */
  async close(): Promise<void> {
    if (this.isClosed) return
    const closed = this.#finishing(() =>
      this.#write(headerOnly(++this.#xid, opcodes.closeSession.code)),
    )
    await closed.catch(() => undefined) // a server may close before the reply, or with it
    this.destroy()
  }

  /** Ends the connection without a word. */
  destroy(): void {
    this.isClosed = true
    this.#link?.destroy()
  }

  async #open(greets: boolean): Promise<void> {
    this.#link = await this.#dial({
      receive: (bytes, length) => {
        try {
          this.#receive(bytes, length)
        } catch (error) {
          this.#finished?.(error as Error)
          this.destroy()
        }
      },
      closed: () => this.#closed(),
    })
    if (!greets) return
    const request = {
      protocolVersion: 0,
      lastZxidSeen: 0,
      timeOut: sessionTimeoutMs,
      sessionId: 0n,
      passwd: new Uint8Array(16),
      readOnly: false,
    }
    await this.#finishing(() => this.#write(Buffer.from(writeConnectRequest(request))))
  }

  #finishing(begin: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#finished = (error) => {
        this.#finished = undefined
        if (error === undefined) resolve()
        else reject(error)
      }
      if (this.isClosed) this.#finished(new Error('the connection is closed'))
      else begin()
    })
  }

  #write(bytes: Buffer): void {
    this.#link?.write(bytes)
  }

  #closed(): void {
    this.isClosed = true
    const lost = new Error('the server closed the connection')
    this.#finished?.(lost)
    this.#pinged?.(lost)
  }

  #fill(now: number): void {
    const work = this.#work as Work
    const underWay = this.#xid + 1 - this.#expected
    const isOver = now >= this.#deadlineMs
    const wanted = isOver ? 0 : Math.min(this.#window - underWay, this.#left)
    if (wanted <= 0) {
      if (underWay > 0) return
      this.#work = undefined
      this.#finished?.()
      return
    }
    const bytes = Buffer.allocUnsafe(wanted * work.requestBytesMax)
    let at = 0
    for (let count = 0; count < wanted; count++) {
      const request = work.next()
      bytes.set(request, at)
      bytes.writeInt32BE((this.#xid = (this.#xid + 1) | 0), at + 4)
      this.#sentAt[this.#xid & (ringSize - 1)] = now
      at += request.length
    }
    this.#left -= wanted
    this.#write(at === bytes.length ? bytes : bytes.subarray(0, at))
  }

  #receive(bytes: Buffer, length: number): void {
    const now = performance.now()
    const before = this.#expected
    let at = 0
    while (at < length) {
      if (this.#bodyLeft > 0) {
        at = this.#takeBody(bytes, at, length, now)
      } else if (this.#headHave === 0 && length - at >= headBytes) {
        at = this.#takeHead(bytes, at, length, now)
      } else {
        const part = Math.min(headBytes - this.#headHave, length - at)
        bytes.copy(this.#head, this.#headHave, at, at + part)
        this.#headHave += part
        at += part
        if (this.#headHave < headBytes) return
        this.#headHave = 0
        this.#beginBody(this.#head, 0)
        if (this.#bodyLeft === 0) this.#takeFrame(this.#head, 0, 0, now)
      }
    }
    if (this.#expected !== before && this.#work !== undefined) this.#fill(now)
  }

  /** At a head that lies here whole. Returns where the next frame begins, or the end. */
  #takeHead(bytes: Buffer, at: number, length: number, now: number): number {
    this.#beginBody(bytes, at)
    const from = at + headBytes
    const to = from + this.#bodyLength
    if (to > length) return from
    this.#bodyLeft = 0
    this.#takeFrame(bytes, from, to, now)
    return to
  }

  #beginBody(bytes: Buffer, at: number): void {
    const frameLength = bytes.readInt32BE(at)
    if (frameLength < headBytes - 4) throw new Error(`a frame of ${frameLength} bytes`)
    if (bytes !== this.#head) bytes.copy(this.#head, 0, at, at + headBytes)
    this.#bodyLength = frameLength - (headBytes - 4)
    this.#bodyLeft = this.#bodyLength
  }

  /** The rest of a body that came in pieces; kept only if the work wants to see it. */
  #takeBody(bytes: Buffer, at: number, length: number, now: number): number {
    const part = Math.min(this.#bodyLeft, length - at)
    if (this.#work?.replied !== undefined) {
      this.#body ??= Buffer.allocUnsafe(this.#bodyLength)
      bytes.copy(this.#body, this.#bodyLength - this.#bodyLeft, at, at + part)
    }
    this.#bodyLeft -= part
    if (this.#bodyLeft > 0) return at + part
    const body = this.#body
    this.#body = undefined
    this.#takeFrame(body ?? this.#head, 0, body?.length ?? 0, now)
    return at + part
  }

  /** Its head stands in #head; what follows it in `bytes`, where the work wants to see it. */
  #takeFrame(bytes: Buffer, from: number, to: number, now: number): void {
    const xid = this.#head.readInt32BE(4)
    if (!this.#isGreeted) return this.#greet()
    if (xid === xids.watchEvent) return this.onEvent?.()
    if (xid === xids.ping) return this.#pinged?.()
    const tally = this.#tally
    if (this.#work === undefined || tally === undefined) return this.#finished?.() // of closeSession
    const err = this.#head.readInt32BE(16)
    if (xid !== this.#expected || err !== 0 || this.#bodyLength < this.#work.replyBytesMin) {
      tally.errors += 1
      tally.firstError ??= `xid ${xid} for ${this.#expected}, err ${err}, ${this.#bodyLength} bytes`
    }
    this.#expected = (this.#expected + 1) | 0
    tally.replies += 1
    tally.lastReplyAt = now
    tally.latencies.add(now - (this.#sentAt[xid & (ringSize - 1)] as number))
    this.#work.replied?.(bytes, from, to)
  }

  #greet(): void {
    const timeOut = this.#head.readInt32BE(8)
    if (timeOut <= 0) return this.#finished?.(new Error('the server gave no session'))
    this.id = this.#head.readBigInt64BE(12)
    this.#isGreeted = true
    this.#finished?.()
  }
}

/** A request without a body. */
function headerOnly(xid: number, code: number): Buffer {
  const bytes = Buffer.allocUnsafe(12)
  bytes.writeInt32BE(8, 0)
  bytes.writeInt32BE(xid, 4)
  bytes.writeInt32BE(code, 8)
  return bytes
}

export const emptyTally = (latencies: Histogram): Tally => ({
  replies: 0,
  errors: 0,
  firstError: undefined,
  latencies,
  lastReplyAt: performance.now(),
})
