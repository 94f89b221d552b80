/**
 * What one client has asked and not been answered. The far side sees its requests and none of its pings, because a ping
 * would wake a hibernating actor. A ping is answered here, in the place where a server would have: behind the replies
 * of everything asked before it, ahead of every reply to what was asked after it, and only once the far side gave a sign
 * of life that is younger than the ping.
 */
import { Reader } from '../core/jute/codec.ts'
import { asZxid } from '../core/shared/units.ts'
import { opcodes, xids } from '../core/wire/opcodes.ts'
import { writeReplyHeader } from '../core/wire/packets.ts'
import { framesIn } from './frames-in.ts'

export class Exchange {
  /** Frames passed on, the ConnectRequest first, and replies that came, the ConnectResponse first. */
  #passed = 0
  #replied = 0
  /** For each ping without a reply: how many frames had been passed on before it. */
  readonly #pings: number[] = []
  /** Of these pings, how many a pong has come for. */
  #ponged = 0
  /** Pongs that will still come for pings that are answered already. */
  #pongsToIgnore = 0
  #lastZxid: number
  #sessionTimeoutMs = 0

  constructor(lastZxidSeen: number) {
    this.#lastZxid = lastZxidSeen
  }

  /** Requests and pings without a reply. */
  get outstanding(): number {
    return this.#passed - this.#replied + this.#pings.length
  }

  /** Pings for which no pong has come. */
  get pingsUnheard(): number {
    return this.#pings.length - this.#ponged + this.#pongsToIgnore
  }

  /** As the far side granted it; 0 before. */
  get sessionTimeoutMs(): number {
    return this.#sessionTimeoutMs
  }

  /** A frame of the client, without its length. What is no ping must be passed on; for a ping, ask for a pong. */
  request(frame: Uint8Array): 'pass' | 'ping' {
    if (this.#passed > 0 && isPing(frame)) {
      this.#pings.push(this.#passed)
      return 'ping'
    }
    this.#passed += 1
    return 'pass'
  }

  /** Whole frames of the far side, as what the client is to read. Throws MalformedFrame. */
  reply(message: Uint8Array): Uint8Array[] {
    const out: Uint8Array[] = []
    let written = 0
    for (const { from, to } of framesIn(message)) {
      if (!this.#isReply(message.subarray(from + 4, to))) continue
      // This reply is to what was asked after these pings: it is the sign of life itself.
      const overtaken = this.#answered(false)
      if (overtaken.length > 0) {
        out.push(message.subarray(written, from), ...overtaken)
        written = from
      }
      this.#replied += 1
      const due = this.#answered(true)
      if (due.length > 0) {
        out.push(message.subarray(written, to), ...due)
        written = to
      }
    }
    if (written < message.length) out.push(message.subarray(written))
    return out
  }

  /** A pong came: it is for the oldest ping that has none. Returns what the client is to read now. */
  pong(): Uint8Array[] {
    if (this.#pongsToIgnore > 0) this.#pongsToIgnore -= 1
    else if (this.#ponged < this.#pings.length) this.#ponged += 1
    return this.#answered(true)
  }

  /** Takes note of a frame; false for a watch event, which nobody waits for. */
  #isReply(frame: Uint8Array): boolean {
    const reader = new Reader(frame)
    if (this.#replied === 0) {
      const isWelcome = frame.length >= connectResponseBytes && reader.int() === 0
      if (isWelcome) this.#sessionTimeoutMs = reader.int()
      return true
    }
    const xid = reader.int()
    this.#lastZxid = Math.max(this.#lastZxid, reader.long())
    return xid !== xids.watchEvent
  }

  /** Replies to pings that wait for no other reply; with `needsPong`, of those whose pong has come. */
  #answered(needsPong: boolean): Uint8Array[] {
    const replies: Uint8Array[] = []
    while ((this.#pings[0] ?? Infinity) <= this.#replied && (!needsPong || this.#ponged > 0)) {
      this.#pings.shift()
      if (this.#ponged > 0) this.#ponged -= 1
      else this.#pongsToIgnore += 1
      replies.push(writeReplyHeader(xids.ping, asZxid(this.#lastZxid), 0))
    }
    return replies
  }
}

/** Without the optional last field. A server that cannot serve a session at all may send a shorter frame. */
const connectResponseBytes = 36

function isPing(frame: Uint8Array): boolean {
  if (frame.length !== 8) return false
  const reader = new Reader(frame)
  return reader.int() === xids.ping && reader.int() === opcodes.ping.code
}
