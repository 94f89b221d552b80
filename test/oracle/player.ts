/** Plays a script on one server, as several clients at once, and tells what each of them saw of every step. */
import { setTimeout as delay } from 'node:timers/promises'
import { decode } from '../../src/core/jute/codec.ts'
import { type ConnectRequest, ConnectResponse } from '../../src/core/jute/records.ts'
import { xids } from '../../src/core/wire/opcodes.ts'
import { readReply, writeConnectRequest } from '../../src/core/wire/packets.ts'
import { errorCodes } from '../../src/core/wire/refusals.ts'
import { Connection } from './connection.ts'
import { greetingOf, Guest, hello, sessionTimeoutMs, silenceMs, tickTimeMs } from './guest.ts'
import { Mask, type Observation } from './mask.ts'
import { Modes } from './modes.ts'
import { bytesOf, type Intruder, type Request, type Step } from './script.ts'

/** What one step showed: to each client its own, in order; `guest` is an intruder’s connection. */
export type Seen = ReadonlyMap<number | 'guest', readonly Observation[]>

/** How this server is spoken to. */
export interface Dialect {
  /** What it is sent in place of a request. */
  translated(request: Request, client: ClientView): Request
  /** Must be answered before it is asked anything else? */
  isAlone(request: Request): boolean
}

export interface ClientView {
  /** How this connection watches. */
  readonly modes: Modes
}

interface Client extends ClientView {
  readonly index: number
  port: number
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

const future = 2 ** 62
/** A session that is granted less could expire within a script. */
const longMs = 20_000

export class Player {
  readonly #mask = new Mask()
  readonly #clients: readonly Client[]
  readonly #dialect: Dialect
  readonly #ports: readonly number[]
  #guest: Observation[] = []

  constructor(ports: readonly number[], clients: number, dialect: Dialect) {
    this.#dialect = dialect
    this.#ports = ports
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
        await this.#ask(client, step.requests, step.isChopped)
        break
      case 'bytes':
        await this.#present(client)
        client.connection?.send(step.bytes)
        await this.#untilClosed(client)
        break
      case 'drop':
        if (step.half !== undefined) this.#leaveIn(client, step.half)
        this.#disconnect(client)
        return this.#takeSeen()
      case 'resume':
        await this.#resume(client, step.timeoutMs)
        break
      case 'move':
        await this.#move(client, step.stale)
        break
      case 'expire':
        await this.#expire(client)
        break
      case 'intrude':
        await this.#intrude(client, step.as)
        break
      case 'audit':
        await this.#asGuest(client.port, async (guest) => {
          await guest.greet(newcomer)
          await guest.audit(step.roots)
          await guest.leave()
        })
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

  async #ask(client: Client, wishes: readonly Request[], isChopped = false): Promise<void> {
    await this.#present(client)
    const requests = wishes.map((wish) => {
      const { xid = (client.xid += 1), ...request } = client.modes.tamed(wish)
      return { ...request, xid }
    })
    client.pending.push(...requests)
    let unsent = requests.length
    for (const together of this.#groups(requests)) {
      const { connection } = client
      if (connection === undefined) return
      const frames = together.map((one) => {
        const spoken = this.#dialect.translated(one, client)
        return bytesOf(spoken, one.xid, this.#mask.base)
      })
      if (isChopped) await connection.sendChopped(Buffer.concat(frames))
      else connection.send(...frames)
      unsent -= together.length
      await this.#settle(client, unsent)
      if (client.isEnding) await this.#untilClosed(client)
    }
  }

  /** What may be sent at once. */
  #groups<T extends Request>(requests: readonly T[]): readonly (readonly T[])[] {
    if (requests.length === 1) return [requests]
    const groups: T[][] = [[]]
    for (const request of requests) {
      const isAlone = this.#dialect.isAlone(request)
      if (isAlone) groups.push([request], [])
      else groups.at(-1)?.push(request)
    }
    return groups.filter((group) => group.length > 0)
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
    // What is so short could expire before the client's next step.
    const granted = client.seen.at(-1)
    const isShort = granted?.saw === 'greeting' && granted.timeOut > 0 && granted.timeOut < longMs
    if (isShort) {
      this.#disconnect(client)
      await this.#connect(client, sessionTimeoutMs)
    }
    if (before !== undefined) await this.#seeEnd(client, before)
  }

  /** A connection that the client left is closed, and nothing more is said there. */
  async #seeEnd(client: Client, before: Connection): Promise<void> {
    for (;;) {
      const frame = await before.frame(silenceMs)
      if (!(frame instanceof Uint8Array)) {
        client.seen.push({ saw: frame, unanswered: 0 })
        return before.destroy()
      }
      client.seen.push(
        this.#mask.isEvent(frame) ? this.#mask.event(frame) : this.#mask.reply(frame, undefined),
      )
    }
  }

  async #move(client: Client, late: Request | undefined): Promise<void> {
    const before = client.connection
    // See `avoided` in deliberate.ts.
    const stale = this.#ports.length > 1 ? undefined : late
    if (stale === undefined) this.#disconnect(client)
    client.connection = undefined
    const at = this.#ports.indexOf(client.port)
    client.port = this.#ports[(at + 1) % this.#ports.length] as number
    await this.#connect(client, sessionTimeoutMs)
    if (before === undefined || stale === undefined) return
    before.send(bytesOf(stale, (client.xid += 1), this.#mask.base))
    await this.#seeEnd(client, before)
  }

  /** Half a frame is no request. */
  #leaveIn(client: Client, request: Request): void {
    const bytes = bytesOf(request, 1, this.#mask.base)
    client.connection?.leaveWith(bytes.subarray(0, bytes.length >> 1))
    client.connection = undefined
  }

  /** The client finds out when it comes back. */
  async #expire(client: Client): Promise<void> {
    await this.#present(client)
    this.#disconnect(client)
    await this.#asGuest(client.port, async (guest) => {
      await guest.greet(newcomer)
      const zxid = await guest.zxid()
      await this.#connect(client, 1)
      if (this.#ports.length > 1) await this.#lingerATick(client)
      this.#disconnect(client)
      await guest.untilBeyond(zxid)
      await guest.leave()
    })
  }

  /** Opens a session, or resumes the client’s. */
  async #connect(client: Client, timeOut: number): Promise<void> {
    const { isAlive, lastZxid } = client
    const [id, passwd] = isAlive ? [client.id, client.passwd] : [0n, new Uint8Array(16)]
    const [connection, frame] = await this.#greeted(client, hello(id, passwd, timeOut, lastZxid))
    client.connection = connection
    client.modes.clear()
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
    client.seen.push(greetingOf(response, client.passwd, frame.length, this.#mask))
    if (response.sessionId === 0n) await this.#untilClosed(client)
  }

  /** One of several servers may be behind what the client saw, and sends it away for a moment. */
  async #greeted(client: Client, request: ConnectRequest) {
    for (let triesLeft = this.#ports.length > 1 ? 50 : 0; ; triesLeft--) {
      const connection = await Connection.open(client.port)
      connection.send(writeConnectRequest(request))
      const frame = await connection.frame(silenceMs)
      if (frame !== 'closed' || triesLeft === 0) return [connection, frame] as const
      await delay(20)
    }
  }

  /** A follower of ZooKeeper tells its leader only twice a tick who was heard, with the timeout of then: the last counts. */
  async #lingerATick(client: Client): Promise<void> {
    for (let left = 10; left > 0; left--) {
      client.pending.push(null)
      client.connection?.send(bytesOf({ op: 'ping', body: undefined }, xids.ping, 0))
      await this.#settle(client)
      await delay(tickTimeMs / 10)
    }
  }

  async #intrude(client: Client, as: Intruder): Promise<void> {
    await this.#asGuest(client.port, async (guest) => {
      switch (as) {
        case 'thief':
        case 'stranger':
        case 'ghost':
          await guest.greet(hello(...this.#papers(client, as), sessionTimeoutMs, 0))
          return guest.untilClosed()
        case 'prophet':
          return guest.greet(hello(0n, new Uint8Array(16), sessionTimeoutMs, future))
        case 'babbler':
          return guest.babble(Uint8Array.of(0, 0, 0, 20, ...new Uint8Array(20)))
        case 'ancient': {
          const { readOnly: _, ...ancient } = newcomer
          await guest.greet({ ...ancient, readOnly: undefined })
          return guest.leave()
        }
        case 'reader':
          await guest.greet({ ...newcomer, readOnly: true })
          return guest.leave()
        case 'impatient':
          await guest.greet(newcomer, { op: 'getData', body: { path: '/', watch: false } }, whoAmI)
          return guest.leave()
      }
    })
    if (as === 'thief' && client.connection !== undefined) await this.#seeVictim(client)
  }

  /** Is the owner's connection still there? Afterwards it is not. */
  async #seeVictim(client: Client): Promise<void> {
    client.connection?.send(bytesOf({ op: 'ping', body: undefined }, xids.ping, 0))
    const frame = await client.connection?.frame(silenceMs)
    client.seen.push({ saw: frame instanceof Uint8Array ? 'kept' : 'closed', unanswered: 0 })
    this.#disconnect(client)
  }

  async #asGuest(port: number, visit: (guest: Guest) => Promise<void>): Promise<void> {
    const guest = await Guest.at(port, this.#mask)
    try {
      await visit(guest)
    } finally {
      this.#guest.push(...guest.seen)
    }
  }

  #papers(
    client: Client,
    as: 'thief' | 'stranger' | 'ghost',
  ): readonly [sessionId: bigint, passwd: Uint8Array] {
    const wrong = new Uint8Array(16).fill(7)
    if (as === 'thief') return [client.id, wrong]
    if (as === 'stranger' || client.ghost === undefined) return [0x1234_5678_9abcn, wrong]
    return [client.ghost.id, client.ghost.passwd]
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
        if (this.#ports.length > 1) {
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

  /** Takes frames until every request has its reply, but the last ones. */
  async #settle(client: Client, unsent = 0): Promise<void> {
    while (client.pending.length > unsent) {
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

const newcomer = hello(0n, new Uint8Array(16), sessionTimeoutMs, 0)
const whoAmI = { op: 'whoAmI', body: undefined } as const

const reads = new Set(['exists', 'getData', 'getChildren', 'getChildren2', 'getAcl', 'whoAmI'])

/** A step nobody else hears of, after which the connection stands. */
const isRead = (step: Step): boolean =>
  step.act === 'ask' &&
  step.requests.every(
    ({ op, code, raw }) => reads.has(op) && code === undefined && raw === undefined,
  )
