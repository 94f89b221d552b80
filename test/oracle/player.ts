/** Plays a script on one server, as several clients at once, and tells what each of them saw of every step. */
import { decode } from '../../src/core/jute/codec.ts'
import { type ConnectRequest, ConnectResponse } from '../../src/core/jute/records.ts'
import { xids } from '../../src/core/wire/opcodes.ts'
import { readReply, writeConnectRequest } from '../../src/core/wire/packets.ts'
import { errorCodes } from '../../src/core/wire/refusals.ts'
import { Connection } from './connection.ts'
import { Mask, type Observation } from './mask.ts'
import { Modes } from './modes.ts'
import { bytesOf, hex, type Intruder, type Request, type Step } from './script.ts'

/** What one step showed: to each client its own, in order; `guest` is an intruder’s connection. */
export type Seen = ReadonlyMap<number | 'guest', readonly Observation[]>

/** What this server is sent in place of a request. */
export type Dialect = (request: Request, client: ClientView) => Request

export interface ClientView {
  /** How this connection watches. */
  readonly modes: Modes
}

interface Client extends ClientView {
  readonly index: number
  readonly port: number
  connection: Connection | undefined
  /** Does the session live, as far as we were told? */
  isAlive: boolean
  id: bigint
  passwd: Uint8Array
  /** How many sessions it had. */
  lives: number
  xid: number
  lastZxid: number
  /** Requests without reply; null for one that only waits for what comes before its reply. */
  readonly pending: (Request | null)[]
  /** A reply said that the connection ends now. */
  isEnding: boolean
  /** A session of its own that was closed. */
  ghost: { readonly id: bigint; readonly passwd: Uint8Array } | undefined
  seen: Observation[]
}

const silenceMs = 8000
const sessionTimeoutMs = 40_000
const future = 2 ** 62

export class Player {
  readonly #mask = new Mask()
  readonly #clients: readonly Client[]
  readonly #dialect: Dialect
  /** Are the clients at different servers? */
  readonly #isSpread: boolean
  #guest: Observation[] = []

  constructor(ports: readonly number[], clients: number, dialect: Dialect) {
    this.#dialect = dialect
    this.#isSpread = ports.length > 1
    this.#clients = Array.from({ length: clients }, (_, index) => newClient(index, ports))
  }

  /** Opens every client’s session. The run’s zxids count from here. */
  async begin(): Promise<void> {
    for (const client of this.#clients) await this.#connect(client, sessionTimeoutMs)
    await this.#settleAll()
    this.#mask.beginAt(Math.max(...this.#clients.map(({ lastZxid }) => lastZxid)))
    this.#takeSeen()
  }

  async play(step: Step): Promise<Seen> {
    const client = this.#clients[step.session] as Client
    switch (step.act) {
      case 'ask':
        await this.#ask(client, step.requests)
        break
      case 'bytes':
        await this.#present(client)
        client.connection?.send(step.bytes)
        await this.#untilClosed(client)
        break
      case 'drop':
        this.#disconnect(client)
        return this.#takeSeen()
      case 'resume':
        await this.#resume(client, step.timeoutMs)
        break
      case 'intrude':
        await this.#intrude(client, step.as)
        break
    }
    if (!isRead(step)) await this.#settleAll()
    return this.#takeSeen()
  }

  /** Closes every session, so that none expires into a later run. */
  async end(): Promise<void> {
    for (const client of this.#clients) {
      // A connection that was about to end may swallow the first attempt.
      for (let tries = 0; client.isAlive && tries < 3; tries++) {
        await this.#ask(client, [{ op: 'closeSession', body: undefined }])
      }
      client.connection?.destroy()
    }
  }

  async #ask(client: Client, requests: readonly Request[]): Promise<void> {
    await this.#present(client)
    const { connection } = client
    if (connection === undefined) return
    const frames = requests.map((wish) => {
      const request = client.modes.tamed(wish)
      const spoken = this.#dialect(request, client)
      client.pending.push(request)
      return bytesOf(spoken, request.xid ?? (client.xid += 1), this.#mask.base)
    })
    connection.send(...frames)
    await this.#settle(client)
    if (client.isEnding) await this.#untilClosed(client)
  }

  /** Sees to it that the client has a connection with a session. */
  async #present(client: Client): Promise<void> {
    if (client.connection === undefined && client.isAlive) {
      await this.#connect(client, sessionTimeoutMs)
    }
    if (client.connection === undefined) await this.#connect(client, sessionTimeoutMs)
  }

  async #resume(client: Client, timeoutMs: number): Promise<void> {
    const before = client.connection
    client.connection = undefined
    await this.#connect(client, timeoutMs)
    if (before === undefined) return
    const end = await before.frame(silenceMs)
    client.seen.push({ saw: end === 'closed' ? 'closed' : 'silent', unanswered: 0 })
    before.destroy()
  }

  /** Opens a session, or resumes the client’s. */
  async #connect(client: Client, timeOut: number): Promise<void> {
    const { isAlive, lastZxid } = client
    const [id, passwd] = isAlive ? [client.id, client.passwd] : [0n, new Uint8Array(16)]
    const connection = await Connection.open(client.port)
    client.connection = connection
    client.modes.clear()
    connection.send(writeConnectRequest(greeting(id, passwd, timeOut, lastZxid)))
    const frame = await connection.frame(silenceMs)
    if (!(frame instanceof Uint8Array)) return this.#lost(client, frame)
    const response = decode(ConnectResponse, frame)
    if (response.sessionId === 0n) client.isAlive = false
    else if (!isAlive) {
      client.isAlive = true
      client.id = response.sessionId
      client.passwd = response.passwd ?? new Uint8Array(0)
      client.lives += 1
      this.#mask.call(client.id, `s${client.index}.${client.lives}`)
    }
    client.seen.push(this.#greetingOf(response, client.passwd, frame.length))
    if (response.sessionId === 0n) await this.#untilClosed(client)
  }

  #greetingOf(response: ConnectResponse, passwd: Uint8Array, bytes: number): Observation {
    const { timeOut, readOnly, protocolVersion } = response
    const given = response.passwd ?? new Uint8Array(0)
    const own = Buffer.compare(given, passwd) === 0 ? 'own' : undefined
    const secret = own ?? (given.some((byte) => byte !== 0) ? 'other' : hex(given))
    const rest = { readOnly, protocolVersion, passwd: secret, bytes }
    return { saw: 'greeting', timeOut, session: this.#mask.nameOf(response.sessionId), rest }
  }

  async #intrude(client: Client, as: Intruder): Promise<void> {
    // A thief at the door of a session closes its owner’s connection in ZooKeeper: nobody is at home then.
    if (as === 'thief') this.#disconnect(client)
    const connection = await Connection.open(client.port)
    const [id, passwd] = this.#papers(client, as)
    const lastZxid = as === 'prophet' ? future : 0
    connection.send(writeConnectRequest(greeting(id, passwd, sessionTimeoutMs, lastZxid)))
    for (;;) {
      const frame = await connection.frame(silenceMs)
      if (!(frame instanceof Uint8Array)) {
        this.#guest.push({ saw: frame, unanswered: 0 })
        return connection.destroy()
      }
      const response = decode(ConnectResponse, frame)
      this.#guest.push(this.#greetingOf(response, new Uint8Array(0), frame.length))
    }
  }

  #papers(client: Client, as: Intruder): readonly [bigint, Uint8Array] {
    const wrong = new Uint8Array(16).fill(7)
    switch (as) {
      case 'thief':
        return [client.id, wrong]
      case 'stranger':
        return [0x1234_5678_9abcn, wrong]
      case 'ghost':
        return client.ghost === undefined
          ? [0x1234_5678_9abcn, wrong]
          : [client.ghost.id, client.ghost.passwd]
      case 'prophet':
        return [0n, new Uint8Array(16)]
    }
  }

  #disconnect(client: Client): void {
    client.isEnding = false
    client.connection?.destroy()
    client.connection = undefined
    client.pending.length = 0
  }

  /** Everybody has seen what there was to see. */
  async #settleAll(): Promise<void> {
    await Promise.all(
      this.#clients.map(async (client) => {
        const { connection } = client
        if (connection === undefined) return
        if (this.#isSpread) {
          client.pending.push(null)
          const sync = { op: 'sync', body: { path: '/' } } as const
          connection.send(bytesOf(sync, xids.auth - 1, 0))
        }
        client.pending.push(null)
        connection.send(bytesOf({ op: 'ping', body: undefined }, xids.ping, 0))
        await this.#settle(client)
      }),
    )
  }

  /** Takes frames until every request has its reply. */
  async #settle(client: Client): Promise<void> {
    while (client.pending.length > 0) {
      const { connection } = client
      if (connection === undefined) return
      const frame = await connection.frame(silenceMs)
      if (frame instanceof Uint8Array) this.#take(client, frame)
      else this.#lost(client, frame)
    }
  }

  async #untilClosed(client: Client): Promise<void> {
    for (;;) {
      const frame = await client.connection?.frame(silenceMs)
      if (frame === undefined) return
      if (frame instanceof Uint8Array) this.#take(client, frame)
      else return this.#lost(client, frame)
    }
  }

  #take(client: Client, frame: Uint8Array): void {
    if (this.#mask.isEvent(frame)) {
      client.seen.push(this.#mask.event(frame))
      return
    }
    const { header } = readReply(frame)
    if (header.zxid > client.lastZxid) client.lastZxid = header.zxid
    const request = client.pending.shift()
    if (request === null && header.err === 0) return
    client.seen.push(this.#mask.reply(frame, request ?? undefined))
    client.isEnding ||= lastErrors.has(header.err) || request?.op === 'closeSession'
    if (request?.op === 'closeSession' && header.err === 0) {
      client.isAlive = false
      client.ghost = { id: client.id, passwd: client.passwd }
    }
  }

  #lost(client: Client, how: 'closed' | 'silent'): void {
    const unanswered = client.pending.filter((request) => request !== null).length
    client.seen.push({ saw: how, unanswered })
    this.#disconnect(client)
  }

  #takeSeen(): Seen {
    const seen = new Map<number | 'guest', readonly Observation[]>()
    for (const client of this.#clients) {
      if (client.seen.length > 0) seen.set(client.index, client.seen)
      client.seen = []
    }
    if (this.#guest.length > 0) seen.set('guest', this.#guest)
    this.#guest = []
    return seen
  }
}

/** Behind these the server closes. */
const lastErrors: ReadonlySet<number> = new Set([errorCodes.Unimplemented, errorCodes.AuthFailed])

const newClient = (index: number, ports: readonly number[]): Client => ({
  index,
  port: ports[index % ports.length] as number,
  connection: undefined,
  isAlive: false,
  id: 0n,
  passwd: new Uint8Array(16),
  lives: 0,
  xid: 0,
  lastZxid: 0,
  pending: [],
  isEnding: false,
  ghost: undefined,
  modes: new Modes(),
  seen: [],
})

const greeting = (
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

const reads = new Set(['exists', 'getData', 'getChildren', 'getChildren2', 'getAcl', 'whoAmI'])

/** A step nobody else hears of, after which the connection stands. */
const isRead = (step: Step): boolean =>
  step.act === 'ask' &&
  step.requests.every(
    ({ op, code, raw }) => reads.has(op) && code === undefined && raw === undefined,
  )
