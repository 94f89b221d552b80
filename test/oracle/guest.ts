/** A connection that belongs to none of a script’s clients, and what it saw. */
import { setTimeout as delay } from 'node:timers/promises'
import { decode } from '../../src/core/jute/codec.ts'
import { type ConnectRequest, ConnectResponse } from '../../src/core/jute/records.ts'
import { readReply, writeConnectRequest } from '../../src/core/wire/packets.ts'
import { xids } from '../../src/core/wire/opcodes.ts'
import { Connection } from './connection.ts'
import type { Mask, Observation } from './mask.ts'
import { bytesOf, hex, type Request } from './script.ts'

/** Sessions expire soon after the shortest timeout. */
export const tickTimeMs = 1000
export const silenceMs = 8000
export const sessionTimeoutMs = 60_000

export class Guest {
  readonly seen: Observation[] = []
  readonly #connection: Connection
  readonly #mask: Mask
  #xid = 0

  private constructor(connection: Connection, mask: Mask) {
    this.#connection = connection
    this.#mask = mask
  }

  static async at(port: number, mask: Mask): Promise<Guest> {
    return new Guest(await Connection.open(port), mask)
  }

  /** Says who it is, and asks this behind, without waiting to be greeted. */
  async greet(hello: ConnectRequest, ...behind: readonly Request[]): Promise<void> {
    this.#connection.send(writeConnectRequest(hello), ...behind.map((one) => this.#bytes(one)))
    const frame = await this.#connection.frame(silenceMs)
    if (!(frame instanceof Uint8Array)) return this.#lost(frame)
    const response = decode(ConnectResponse, frame)
    if (response.sessionId !== 0n) this.#mask.call(response.sessionId, 'guest')
    this.seen.push(greetingOf(response, new Uint8Array(0), frame.length, this.#mask))
    for (const request of behind) await this.#take(request)
  }

  /** Says something else first. */
  async babble(bytes: Uint8Array): Promise<void> {
    this.#connection.send(bytes)
    await this.untilClosed()
  }

  async ask(request: Request): Promise<Observation> {
    this.#connection.send(this.#bytes(request))
    return this.#take(request)
  }

  async untilClosed(): Promise<void> {
    for (;;) {
      const frame = await this.#connection.frame(silenceMs)
      if (!(frame instanceof Uint8Array)) return this.#lost(frame)
      this.seen.push({ saw: 'greeting', timeOut: 0, session: 'nobody’s', rest: hex(frame) })
    }
  }

  /** Ends its session. */
  async leave(): Promise<void> {
    await this.ask({ op: 'closeSession', body: undefined })
    await this.untilClosed()
  }

  /** How far its server is, once it has caught up. */
  async zxid(): Promise<number> {
    this.#connection.send(bytesOf({ op: 'sync', body: { path: '/' } }, 0, 0))
    const frame = await this.#connection.frame(silenceMs)
    if (!(frame instanceof Uint8Array)) throw new Error(`a sync is not answered: ${frame}`)
    return readReply(frame).header.zxid
  }

  /** Resolves when something happened that nobody here asked for. */
  async untilBeyond(zxid: number): Promise<void> {
    const deadline = performance.now() + 30_000
    while ((await this.zxid()) <= zxid) {
      if (performance.now() > deadline) throw new Error('a session does not expire')
      await delay(50)
    }
  }

  /** Every node from these on, down to the last. */
  async audit(roots: readonly string[]): Promise<void> {
    await this.ask({ op: 'auth', body: superuser, xid: xids.auth })
    const paths = [...roots]
    for (let path = paths.shift(); path !== undefined; path = paths.shift()) {
      await this.ask({ op: 'getData', body: { path, watch: false } })
      await this.ask({ op: 'getAcl', body: { path } })
      const listed = await this.ask({ op: 'getChildren2', body: { path, watch: false } })
      if (listed.saw !== 'reply' || listed.err !== 0) continue
      const { children } = listed.body as { readonly children: readonly string[] }
      paths.push(...children.map((name) => `${path}/${name}`))
    }
  }

  #bytes(request: Request): Uint8Array {
    return bytesOf(request, request.xid ?? (this.#xid += 1), this.#mask.base)
  }

  async #take(request: Request): Promise<Observation> {
    const frame = await this.#connection.frame(silenceMs)
    const seen: Observation =
      frame instanceof Uint8Array ? this.#mask.reply(frame, request) : { saw: frame, unanswered: 1 }
    this.seen.push(seen)
    return seen
  }

  #lost(how: 'closed' | 'silent'): void {
    this.seen.push({ saw: how, unanswered: 0 })
    this.#connection.destroy()
  }
}

const superuser = { type: 0, scheme: 'digest', auth: Buffer.from('super:secret') }

/** `passwd`: what the client has already. */
export function greetingOf(
  response: ConnectResponse,
  passwd: Uint8Array,
  bytes: number,
  mask: Mask,
): Observation {
  const { timeOut, readOnly, protocolVersion } = response
  const given = response.passwd ?? new Uint8Array(0)
  const own = Buffer.compare(given, passwd) === 0 ? 'own' : undefined
  const secret = own ?? (given.some((byte) => byte !== 0) ? 'other' : hex(given))
  const rest = { readOnly, protocolVersion, passwd: secret, bytes }
  return { saw: 'greeting', timeOut, session: mask.nameOf(response.sessionId), rest }
}

export const hello = (
  sessionId: bigint,
  passwd: Uint8Array,
  timeOut: number,
  lastZxidSeen: number,
): ConnectRequest => ({
  protocolVersion: 0,
  lastZxidSeen,
  timeOut,
  sessionId,
  passwd,
  readOnly: false,
})
