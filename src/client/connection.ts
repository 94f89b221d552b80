/** The protocol over one link: handshake, then requests out and replies in, in order. It ends once and for all. */
import { type Decoded, MalformedFrame, type Reader, decode } from '../core/jute/codec.ts'
import {
  type ConnectRequest,
  ConnectResponse,
  type SetWatches2,
  WatcherEvent,
} from '../core/jute/records.ts'
import { limits } from '../core/shared/limits.ts'
import { inGroups, joined } from '../core/shared/pieces.ts'
import { Deframer } from '../core/wire/deframer.ts'
import { xids } from '../core/wire/opcodes.ts'
import { readReply, writeConnectRequest, writeRequest } from '../core/wire/packets.ts'
import { Fifo } from './fifo.ts'
import type { Pending } from './request.ts'
import type { Dial, Transport } from './transport.ts'

/** What a connection tells its session. */
export interface ConnectionEvents {
  /** The server's answer to the handshake. A `timeOut` of 0 or less: the session is over. */
  established(response: ConnectResponse): void
  /** Something was heard: the link is alive. */
  heard(): void
  /** The server does not believe who we say we are: it will close the connection. */
  refused(): void
  /** A reply carried this zxid. */
  seen(zxid: number): void
  watchEvent(type: number, path: string, zxid: number): void
  /** The link is gone, and with it every request under way: they have failed with ConnectionLoss. */
  ended(reason: string): void
}

/** A reply may be longer than a request: the list of very many children. One WebSocket message carries 32 MiB. */
const replyBytesMax = 32 * 1024 * 1024

export class Connection {
  readonly #events: ConnectionEvents
  readonly #transport: Transport
  readonly #deframer = new Deframer(replyBytesMax)
  readonly #inFlight = new Fifo<Pending>()
  readonly #pings = new Fifo<Pending>()
  /** Of who we are. They do not fail with the link: the session says them again on the next. */
  readonly #proofs = new Fifo<Pending>()
  #established = false
  #over = false
  #unsent: Uint8Array[] = []

  constructor(dial: Dial, url: string, hello: ConnectRequest, events: ConnectionEvents) {
    this.#events = events
    this.#transport = dial(url, {
      opened: () => this.#transport.send(writeConnectRequest(hello)),
      receive: (bytes) => this.#receive(bytes),
      ended: (reason) => this.#end(reason),
    })
  }

  /** Writes a request behind those written before. What is written in one turn leaves in one message. */
  send(request: Pending): void {
    if (request.xid === xids.ping) this.#pings.push(request)
    else if (request.xid === xids.auth) this.#proofs.push(request)
    else this.#inFlight.push(request)
    this.#write(request.frame)
  }

  /** Arms watches again. Its reply says nothing: what has changed meanwhile arrives as events. */
  setWatches(watches: Decoded<typeof SetWatches2>): void {
    const { persistentWatches, persistentRecursiveWatches } = watches
    // Servers before 3.6 know no watches that stay, nor the operation that arms them.
    const isPlain = persistentWatches.length === 0 && persistentRecursiveWatches.length === 0
    this.#write(writeRequest(xids.setWatches, isPlain ? 'setWatches' : 'setWatches2', watches))
  }

  /** Asks for a sign of life below the protocol; false where only the protocol's own ping gives one. */
  ping(): boolean {
    return this.#transport.ping()
  }

  /** Ends it from this side: everything under way fails with ConnectionLoss, and the session is told. */
  abort(reason: string): void {
    this.#transport.abort()
    this.#end(reason)
  }

  #write(frame: Uint8Array): void {
    if (this.#unsent.push(frame) === 1) queueMicrotask(() => this.#flush())
  }

  #flush(): void {
    const frames = this.#unsent
    this.#unsent = []
    if (this.#over) return
    for (const group of inGroups(frames, limits.socketMessageBytesMax)) {
      this.#transport.send(joined(group))
    }
  }

  #receive(bytes: Uint8Array): void {
    if (this.#over) return
    this.#events.heard()
    try {
      for (const frame of this.#deframer.push(bytes)) {
        if (this.#over) return
        if (this.#established) this.#receiveReply(frame)
        else this.#establish(frame)
      }
    } catch (error) {
      if (!(error instanceof MalformedFrame)) throw error
      this.abort(error.message)
    }
  }

  #establish(frame: Uint8Array): void {
    const response = decode(ConnectResponse, frame)
    this.#established = true
    this.#events.established(response)
  }

  #receiveReply(frame: Uint8Array): void {
    const { header, body } = readReply(frame)
    if (header.xid === xids.watchEvent) return this.#receiveEvent(header.zxid, body)
    if (header.xid === xids.ping) return this.#pings.shift()?.answer(header.err, body)
    if (header.xid === xids.auth) return this.#receiveVerdict(header.err, body)
    if (header.zxid > 0) this.#events.seen(header.zxid)
    if (header.xid === xids.setWatches) return this.#receiveArmed(header.err)
    const request = this.#inFlight.peek()
    if (request?.xid !== header.xid) {
      throw new MalformedFrame(`reply ${header.xid} where ${request?.xid ?? 'none'} was due`)
    }
    request.answer(header.err, body)
    this.#inFlight.shift()
  }

  #receiveEvent(zxid: number, body: Reader): void {
    const { type, path } = WatcherEvent.read(body)
    this.#events.watchEvent(type, path, zxid)
  }

  #receiveVerdict(err: number, body: Reader): void {
    this.#proofs.shift()?.answer(err, body)
    if (err !== 0) this.#events.refused()
  }

  #receiveArmed(err: number): void {
    // A client that believes in watches the server does not hold would wait for ever.
    if (err !== 0) throw new MalformedFrame(`setWatches answered with error ${err}`)
  }

  #end(reason: string): void {
    if (this.#over) return
    this.#over = true
    for (const request of this.#inFlight.drain()) request.fail('ConnectionLoss', reason)
    for (const ping of this.#pings.drain()) ping.fail('ConnectionLoss', reason)
    this.#events.ended(reason)
  }
}
