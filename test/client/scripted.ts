/** A server by hand: a transport that keeps what a client sends and says what a test tells it to. */
import { type Codec, decode, Reader } from '../../src/core/jute/codec.ts'
import { ConnectRequest, SetWatches, SetWatches2 } from '../../src/core/jute/records.ts'
import { asZxid } from '../../src/core/shared/units.ts'
import { wholeFrames } from '../../src/core/wire/deframer.ts'
import {
  type MultiResult,
  readMultiResponse,
  writeMultiResponse,
} from '../../src/core/wire/multi.ts'
import { eventTypes, type Operation, operationOf, opcodes } from '../../src/core/wire/opcodes.ts'
import {
  writeConnectResponse,
  writeReply,
  writeReplyHeader,
  writeWatchEvent,
} from '../../src/core/wire/packets.ts'
import type { Dial, TransportEvents } from '../../src/client/transport.ts'

export const password = new Uint8Array(16).fill(9)

export class Scripted {
  /** Every link a client has dialled, oldest first. */
  readonly links: Link[] = []
  readonly dial: Dial = (url, events) => {
    const link = new Link(url, events)
    this.links.push(link)
    return link
  }

  get link(): Link {
    const link = this.links.at(-1)
    if (!link) throw new Error('nobody has dialled')
    return link
  }
}

interface Asked {
  readonly xid: number
  readonly operation: Operation | undefined
  readonly body: Reader
}

export class Link {
  readonly url: string
  readonly #events: TransportEvents
  /** One item per message sent. */
  readonly messages: Uint8Array[] = []
  pings = 0
  aborted = false

  constructor(url: string, events: TransportEvents) {
    this.url = url
    this.#events = events
  }

  send(frames: Uint8Array): void {
    this.messages.push(frames)
  }
  ping(): boolean {
    this.pings++
    return true
  }
  abort(): void {
    this.aborted = true
  }

  /** Opens the link and answers the handshake. */
  accept({ timeoutMs = 9000, sessionId = 5n, readOnly = false } = {}): this {
    this.open()
    return this.establish({ timeoutMs, sessionId, readOnly })
  }
  open(): void {
    this.#events.opened()
  }
  establish({ timeoutMs = 9000, sessionId = 5n, readOnly = false } = {}): this {
    const known = { protocolVersion: 0, timeOut: timeoutMs, sessionId, passwd: password }
    return this.say(writeConnectResponse({ ...known, readOnly }))
  }
  refuse(): this {
    this.open()
    const zeroed = { protocolVersion: 0, timeOut: 0, sessionId: 0n, passwd: new Uint8Array(16) }
    return this.say(writeConnectResponse({ ...zeroed, readOnly: false }))
  }

  say(...frames: Uint8Array[]): this {
    this.#events.receive(Buffer.concat(frames))
    return this
  }
  pong(): void {
    this.#events.receive(new Uint8Array(0))
  }
  end(reason = 'cut'): void {
    this.#events.ended(reason)
  }

  get hello(): ConnectRequest {
    return decode(ConnectRequest, this.#frames()[0] as Uint8Array)
  }
  /** What was asked after the handshake, in order. */
  get asked(): Asked[] {
    return this.#frames().slice(1).map(askedOf)
  }
  get setWatches(): SetWatches[] {
    const rearming = this.asked.filter(({ operation }) => operation === 'setWatches')
    return rearming.map(({ body }) => SetWatches.read(body))
  }
  get setWatches2() {
    const rearming = this.asked.filter(({ operation }) => operation === 'setWatches2')
    return rearming.map(({ body }) => SetWatches2.read(body))
  }
  #frames(): Uint8Array[] {
    return this.messages.flatMap((message) => wholeFrames(message, 1 << 24))
  }
}

function askedOf(frame: Uint8Array): Asked {
  const body = new Reader(frame)
  return { xid: body.int(), operation: operationOf(body.int()), body }
}

export const reply = <O extends Operation>(
  operation: O,
  xid: number,
  zxid: number,
  body: unknown,
) => writeReply(xid, asZxid(zxid), opcodes[operation].reply as Codec<unknown>, body)

export const multiReply = (xid: number, zxid: number, results: readonly MultiResult[]) =>
  writeReply(xid, asZxid(zxid), { read: readMultiResponse, write: writeMultiResponse }, results)

export const refusal = (xid: number, zxid: number, err: number) =>
  writeReplyHeader(xid, asZxid(zxid), err)

export const event = (type: keyof typeof eventTypes, path: string, zxid = -1) =>
  writeWatchEvent(zxid, eventTypes[type], path)

export const stat = {
  czxid: 1,
  mzxid: 1,
  ctime: 1,
  mtime: 1,
  version: 0,
  cversion: 0,
  aversion: 0,
  ephemeralOwner: 0n,
  dataLength: 0,
  numChildren: 0,
  pzxid: 1,
}

/** Lets every microtask run that is due. */
export const settle = () => new Promise<void>((resolve) => process.nextTick(() => resolve()))
