/**
 * Carries frames between clients and the members that serve them, in order, and counts what has no reply yet: whoever
 * has much of that is read slower.
 */
import { Reader } from '../../jute/codec.ts'
import { ReplyHeader, WatcherEvent } from '../../jute/records.ts'
import { limits } from '../../shared/limits.ts'
import type { Sid } from '../../shared/units.ts'
import { opcodes } from '../../wire/opcodes.ts'
import type { HostPorts } from './host-ports.ts'
import type { HostedSession } from './hosted.ts'

export class Relay {
  readonly #outstandingLimit: number
  readonly #ports: HostPorts
  /** Sums over all sessions. */
  #unanswered = 0
  #unansweredBytes = 0

  constructor(outstandingLimit: number, ports: HostPorts) {
    this.#outstandingLimit = outstandingLimit
    this.#ports = ports
  }

  /** Have all clients together more requests without a reply than may be (globalOutstandingLimit)? */
  get isFull(): boolean {
    return (
      this.#unanswered > this.#outstandingLimit || this.#unansweredBytes > limits.unansweredBytesMax
    )
  }

  /** A client's request: it goes to the member, or waits for one. */
  request(session: HostedSession, frame: Uint8Array): void {
    session.unanswered += 1
    session.unansweredBytes += frame.length
    this.#unanswered += 1
    this.#unansweredBytes += frame.length
    this.#pass(session, frame)
  }

  /** A member serves: what waited for one goes to it. */
  release(session: HostedSession): void {
    const { held } = session
    session.held = []
    for (const frame of held) this.#pass(session, frame)
  }

  /** A client may ask under any xid, that of watch events too: only the member knows which of the two it sent. */
  reply(session: HostedSession | undefined, frames: Uint8Array | null): void {
    const connection = session?.connection
    if (session === undefined || connection === undefined || frames === null) return
    const header = new Reader(frames, 4)
    const xid = header.int()
    const zxid = header.long()
    if (zxid > session.lastZxid) session.lastZxid = zxid
    this.#replied(session)
    if (connection.survives) session.watches.noteReply(xid, header.int())
    this.#ports.write(connection.id, frames)
  }

  event(session: HostedSession | undefined, frame: Uint8Array | null): void {
    const connection = session?.connection
    if (session === undefined || connection === undefined || frame === null) return
    const reader = new Reader(frame, 4)
    const { zxid } = ReplyHeader.read(reader)
    if (zxid > session.lastZxid) session.lastZxid = zxid
    if (connection.survives) {
      const { type, path } = WatcherEvent.read(reader)
      session.watches.noteEvent(type, path)
    }
    this.#ports.write(connection.id, frame)
  }

  /** Nobody waits for its replies any more. */
  settle(session: HostedSession): void {
    this.#unanswered -= session.unanswered
    this.#unansweredBytes -= session.unansweredBytes
    session.unanswered = 0
    session.unansweredBytes = 0
  }

  #pass(session: HostedSession, frame: Uint8Array): void {
    if (session.state !== 'serving') {
      // The caller reads on into the same bytes.
      session.held.push(frame.slice())
      return
    }
    session.outstanding += 1
    if (session.connection?.survives === true && frame.length >= 8) {
      const header = new Reader(frame)
      const xid = header.int()
      session.watches.noteRequest(xid, header.int(), frame)
    }
    if (session.isLocal && frame.length >= 8) {
      session.mayBeGlobal ||= creations.has(new Reader(frame, 4).int())
    }
    this.#ports.up(session.member as Sid, { type: 'request', slot: session.slot, frame })
  }

  #replied(session: HostedSession): void {
    session.outstanding -= 1
    // As if all that wait were of one length: to know better, every one's would have to be kept.
    const share = Math.ceil(session.unansweredBytes / session.unanswered)
    session.unanswered -= 1
    session.unansweredBytes -= share
    this.#unanswered -= 1
    this.#unansweredBytes -= share
  }
}

/** A local session that asked for one of these may own an ephemeral, and so be global. */
const creations: ReadonlySet<number> = new Set([
  opcodes.create.code,
  opcodes.create2.code,
  opcodes.multi.code,
])
