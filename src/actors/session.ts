/**
 * A session actor: the shell of a Host. Its WebSockets hibernate; its TCP connections are streams it reads while they
 * last. It speaks to members over edges, and is woken by the one alarm that judges its sessions.
 */
import { createHmac } from 'node:crypto'
import { DurableObject } from 'cloudflare:workers'
import { MalformedFrame, Writer } from '../core/jute/codec.ts'
import { limits } from '../core/shared/limits.ts'
import type { Settings } from '../core/shared/settings.ts'
import { asSid, type SessionId, type Sid } from '../core/shared/units.ts'
import { writeUp, type UpMessage } from '../core/session/edge-messages.ts'
import { Host } from '../core/session/host.ts'
import type { Identity } from '../core/tree/acl.ts'
import { knownClientHeaders, readSubject } from '../core/wire/client.ts'
import { Deframer, wholeFrames } from '../core/wire/deframer.ts'
import { Channel } from './channel.ts'
import {
  type Env,
  firstMembersOf,
  instanceOf,
  memberStub,
  placeOfSessionActor,
  settingsOf,
} from './env.ts'
import { log } from './log.ts'
import { SessionStore } from './session-store.ts'
import { readPreamble, TcpConnection } from './tcp-connection.ts'

/** The actor's channel to one member. */
interface Edge {
  readonly id: number
  readonly channel: Channel
  /** Messages of the turn under way. */
  readonly outbox: Writer
}

/** What a socket carries through hibernation. */
interface SocketMark {
  readonly connection: number
}

export class Session extends DurableObject<Env> {
  readonly #settings: Settings
  readonly #name: string
  readonly #store: SessionStore
  readonly #secret: Uint8Array
  readonly #host: Host
  readonly #sockets = new Map<number, WebSocket>()
  readonly #tcp = new Map<number, TcpConnection>()
  readonly #edges = new Map<Sid, Edge>()
  /** Frames of the turn under way, by connection. */
  readonly #writes = new Map<number, Uint8Array[]>()
  readonly #hangups: number[] = []
  /** TCP readers that wait for their client's requests to be answered. */
  readonly #readers: (() => void)[] = []
  #lastConnection = 0
  #alarmSetFor = Infinity
  #retryTimer: ReturnType<typeof setTimeout> | undefined
  #retryTimerAtMs = Infinity
  #restTimer: ReturnType<typeof setTimeout> | undefined
  #lastBusyMs = 0

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    this.#settings = settingsOf(env)
    this.#store = new SessionStore(ctx.storage)
    this.#name = this.#store.name(ctx.id.name) ?? ''
    this.#secret = this.#store.secret()
    this.#host = this.#newHost()
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair('ping', 'pong'))
    this.#revive()
  }

  /** May one more session come here? An actor that a death brought to another instance takes no more: they stay at home. */
  admit(): boolean {
    const instance = instanceOf(this.env)
    const isAtHome = instance === undefined || instance === placeOfSessionActor(this.#name).home
    return isAtHome && this.#host.hasRoom
  }

  /** Upgrades to a WebSocket whose binary messages are ZooKeeper frames. */
  override fetch(request: Request): Response {
    const pinned = new URL(request.url).searchParams.get('member')
    const { 0: client, 1: server } = new WebSocketPair()
    const connection = this.#nextConnection()
    this.ctx.acceptWebSocket(server)
    server.serializeAttachment({ connection } satisfies SocketMark)
    this.#sockets.set(connection, server)
    this.#step((nowMs) =>
      this.#host.connected(nowMs, {
        id: connection,
        pinned: pinned === null ? undefined : asSid(Number(pinned)),
        survives: true,
        address: request.headers.get(knownClientHeaders.address) ?? '',
        identities: identitiesOf(request.headers.get(knownClientHeaders.subject)),
      }),
    )
    return new Response(null, { status: 101, webSocket: client })
  }

  /** A TCP connection, handed over by the Worker: its preamble, then ZooKeeper's bytes. */
  override async connect(socket: Socket): Promise<void> {
    const tcp = new TcpConnection(socket)
    const preamble = await readPreamble(tcp)
    if (preamble === undefined) return
    const connection = this.#nextConnection()
    this.#tcp.set(connection, tcp)
    const { member, address } = preamble
    const pinned = asSid(member)
    this.#host.connected(Date.now(), {
      id: connection,
      pinned,
      survives: false,
      address,
      identities: [],
    })
    await this.#readTcp(connection, tcp)
    this.#tcp.delete(connection)
    this.#step((nowMs) => this.#host.disconnected(nowMs, connection))
  }

  /** A member has something to say; the answer is what this actor has. */
  deliver(member: number, edge: number, message: Uint8Array): Promise<Uint8Array> {
    const known = this.#edges.get(asSid(member))
    if (known?.id !== edge) return Promise.reject(new Error('the edge is not known here'))
    return known.channel.answer(message)
  }

  /** A member began to serve: if it did so with no memory of our edge, the probe finds out. */
  memberServes(member: number): void {
    this.#edges.get(asSid(member))?.channel.probe()
  }

  override webSocketMessage(socket: WebSocket, message: ArrayBuffer | string): void {
    const connection = connectionOf(socket)
    if (typeof message === 'string') return this.#refuseSocket(socket, 1003, 'frames are binary')
    try {
      const frames = wholeFrames(new Uint8Array(message), this.#settings.juteMaxBufferBytes)
      this.#step((nowMs) => this.#host.receive(nowMs, connection, frames))
    } catch (fault) {
      if (!(fault instanceof MalformedFrame)) throw fault
      this.#refuseSocket(socket, 1007, fault.message)
    }
    if (this.#host.isFlooding(connection)) {
      this.#refuseSocket(socket, 1013, 'too many requests without reading the replies')
    }
    return undefined
  }

  override webSocketClose(socket: WebSocket): void {
    this.#disconnected(socket)
  }

  override webSocketError(socket: WebSocket): void {
    this.#disconnected(socket)
  }

  override alarm(): void {
    this.#alarmSetFor = Infinity
    // A member that restarted has forgotten our watches: a probe finds out.
    for (const edge of this.#edges.values()) edge.channel.probe()
    this.#step((nowMs) => {
      this.#host.recover(nowMs)
      this.#host.wake(nowMs)
    })
  }

  #newHost(): Host {
    const place = placeOfSessionActor(this.#name)
    const {
      tickTimeMs,
      minSessionTimeoutMs,
      maxSessionTimeoutMs,
      sessionsPerActor,
      globalOutstandingLimit,
    } = this.#settings
    return new Host(
      {
        ...place,
        members: firstMembersOf(this.#settings),
        tickTimeMs,
        minSessionTimeoutMs,
        maxSessionTimeoutMs,
        sessionsMax: sessionsPerActor,
        outstandingLimit: globalOutstandingLimit,
      },
      {
        write: (connection, frames) => this.#write(connection, frames),
        hangup: (connection) => void this.#hangups.push(connection),
        up: (member, message) => this.#up(member, message),
        passwordOf: (session) => this.#passwordOf(session),
        pingedMs: (connection) => this.#pingedMs(connection),
      },
      Date.now(),
    )
  }

  /**
   * After hibernation: the sockets are here, what belongs to them is on disk. After a crash there are no sockets, and
   * what is on disk is of a life whose slots and numbers must not be taken up again.
   */
  #revive(): void {
    const sockets = this.ctx.getWebSockets()
    if (sockets.length === 0) this.#store.save([], [])
    const rows = new Map(this.#store.survivors().map((row) => [row.connection, row]))
    const nowMs = Date.now()
    for (const { member, edge, nextOut, nextIn } of this.#store.edges()) {
      this.#openEdge(asSid(member), edge, { nextOut, nextIn })
    }
    for (const row of rows.values()) this.#host.revive(nowMs, row)
    for (const socket of sockets) {
      const connection = connectionOf(socket)
      this.#lastConnection = Math.max(this.#lastConnection, connection)
      if (rows.delete(connection)) this.#sockets.set(connection, socket)
      else this.#refuseSocket(socket, 1012, 'the connection was lost in a restart')
    }
    // Sockets that were closed meanwhile: their sessions live on without them.
    for (const connection of rows.keys()) this.#host.disconnected(nowMs, connection)
    this.ctx.waitUntil(this.#recover())
  }

  /** An alarm that is set says that there are sessions to judge. */
  async #recover(): Promise<void> {
    const alarm = await this.ctx.storage.getAlarm()
    if (alarm === null) return
    this.#alarmSetFor = alarm
    this.#step((nowMs) => this.#host.recover(nowMs))
  }

  /** One step of the host, and everything it asked for. */
  #step(step: (nowMs: number) => unknown): void {
    step(Date.now())
    // First of all: a session that the ensemble has and no alarm judges would live for ever.
    this.#setAlarm()
    for (const edge of this.#edges.values()) {
      if (edge.outbox.at > 0) passOn(edge)
      edge.channel.flush()
    }
    for (const [connection, frames] of this.#writes) this.#send(connection, frames)
    this.#writes.clear()
    for (const connection of this.#hangups.splice(0)) this.#close(connection)
    for (const resume of this.#readers.splice(0)) resume()
    this.#setTimers()
  }

  #up(member: Sid, message: UpMessage): void {
    const edge = this.#edges.get(member) ?? this.#openEdge(member, newEdgeId())
    writeUp(edge.outbox, message)
    // One WebSocket message alone may hold 32 MiB of requests, more than a call can carry with what it adds.
    if (edge.outbox.at >= limits.linkMessageBytesMax) passOn(edge)
  }

  #openEdge(member: Sid, id: number, from?: { nextOut: number; nextIn: number }): Edge {
    const { ensemble, tickTimeMs, syncLimitTicks } = this.#settings
    const channel: Channel = new Channel(
      {
        call: (message) => memberStub(this.env, ensemble, member).exchange(this.#name, id, message),
        receive: (payload) => this.#step((nowMs) => this.#host.receiveDown(nowMs, member, payload)),
        owes: () => false,
        lost: (why) => {
          log('edge.lost', { actor: this.#name, member, why })
          if (this.#edges.get(member)?.channel === channel) this.#edges.delete(member)
          this.#step((nowMs) => this.#host.memberLost(nowMs, member))
        },
      },
      2 * tickTimeMs * syncLimitTicks,
      from,
    )
    const edge = { id, channel, outbox: new Writer(4096) }
    this.#edges.set(member, edge)
    return edge
  }

  #passwordOf(session: SessionId): Uint8Array {
    const bytes = new Uint8Array(8)
    new DataView(bytes.buffer).setBigInt64(0, session)
    const mac = createHmac('sha256', this.#secret).update(bytes).digest()
    return new Uint8Array(mac.buffer, mac.byteOffset, 16).slice()
  }

  #pingedMs(connection: number): number {
    const socket = this.#sockets.get(connection)
    if (socket === undefined) return 0
    return this.ctx.getWebSocketAutoResponseTimestamp(socket)?.getTime() ?? 0
  }

  async #readTcp(connection: number, tcp: TcpConnection): Promise<void> {
    const deframer = new Deframer(this.#settings.juteMaxBufferBytes)
    try {
      for (;;) {
        const chunk = await tcp.read()
        if (chunk === undefined) return
        const frames = deframer.push(chunk)
        if (frames.length > 0) {
          this.#step((nowMs) => this.#host.receive(nowMs, connection, frames))
        }
        // Whoever asks faster than we answer is read slower.
        await this.#untilAnswered(connection)
        await tcp.untilWritten()
      }
    } catch (fault) {
      // A stream breaks when its client goes, or when we close it: neither is news.
      if (!(fault instanceof MalformedFrame) && !tcp.isOver)
        log('tcp.broken', { why: String(fault) })
    } finally {
      tcp.close()
    }
  }

  /** Resolves when the connection may be read further. */
  async #untilAnswered(connection: number): Promise<void> {
    while (this.#host.isThrottled(connection)) {
      await new Promise<void>((resolve) => this.#readers.push(resolve))
    }
  }

  #write(connection: number, frames: Uint8Array): void {
    const waiting = this.#writes.get(connection)
    if (waiting === undefined) this.#writes.set(connection, [frames])
    else waiting.push(frames)
  }

  #send(connection: number, frames: readonly Uint8Array[]): void {
    const tcp = this.#tcp.get(connection)
    if (tcp !== undefined) return tcp.write(joined(frames))
    const socket = this.#sockets.get(connection)
    try {
      for (const message of messagesOf(frames)) socket?.send(message)
    } catch (fault) {
      // The client is gone and its close event is on the way, or was lost: the alarm judges the session all the same.
      log('socket.broken', { why: String(fault) })
    }
  }

  #close(connection: number): void {
    this.#tcp.get(connection)?.close()
    this.#tcp.delete(connection)
    const socket = this.#sockets.get(connection)
    if (socket !== undefined) this.#refuseSocket(socket, 1000, 'closed by the ensemble')
  }

  #refuseSocket(socket: WebSocket, code: number, why: string): void {
    try {
      socket.close(code, why)
    } catch (fault) {
      log('socket.close', { why: String(fault) })
    }
    this.#disconnected(socket)
  }

  #disconnected(socket: WebSocket): void {
    const connection = connectionOf(socket)
    if (!this.#sockets.has(connection)) return
    // Forgotten afterwards: the host asks for its last ping.
    this.#step((nowMs) => this.#host.disconnected(nowMs, connection))
    this.#sockets.delete(connection)
  }

  #nextConnection(): number {
    this.#lastConnection += 1
    return this.#lastConnection
  }

  /** The alarm is the earliest of what must survive eviction; moving it later is left to the alarm itself. */
  #setAlarm(): void {
    const { alarmAtMs } = this.#host
    if (alarmAtMs >= this.#alarmSetFor) return
    this.#alarmSetFor = alarmAtMs
    void this.ctx.storage.setAlarm(alarmAtMs)
  }

  #setTimers(): void {
    this.#setRetryTimer()
    this.#lastBusyMs = Date.now()
    if (this.#restTimer === undefined && this.#sockets.size > 0) this.#watchRest()
  }

  /** A timer that nobody needs is taken back: it would keep the actor awake. */
  #setRetryTimer(): void {
    const { retryAtMs } = this.#host
    if (retryAtMs === this.#retryTimerAtMs) return
    if (this.#retryTimer !== undefined) clearTimeout(this.#retryTimer)
    this.#retryTimer = undefined
    this.#retryTimerAtMs = retryAtMs
    if (retryAtMs === Infinity) return
    const delayMs = Math.max(0, retryAtMs - Date.now())
    this.#retryTimer = setTimeout(() => {
      this.#retryTimer = undefined
      this.#retryTimerAtMs = Infinity
      this.#step((nowMs) => this.#host.wake(nowMs))
    }, delayMs)
  }

  #watchRest(): void {
    this.#restTimer = setTimeout(() => {
      this.#restTimer = undefined
      const isQuiet = [...this.#edges.values()].every(({ channel }) => channel.isQuiet)
      if (!isQuiet || Date.now() - this.#lastBusyMs < limits.restBeforeSavingMs) this.#watchRest()
      else this.#save()
    }, limits.restBeforeSavingMs)
  }

  #save(): void {
    const edges = [...this.#edges].map(([member, { id, channel }]) => ({
      member,
      edge: id,
      ...channel.position,
    }))
    this.#store.save(this.#host.survivors(), edges)
    for (const { channel } of this.#edges.values()) channel.rest()
  }
}

function passOn({ channel, outbox }: Edge): void {
  channel.send(outbox.take())
  outbox.reset()
}

/** What a certificate proves (X509AuthenticationProvider). */
function identitiesOf(subject: string | null): Identity[] {
  const id = readSubject(subject ?? '')
  return id === undefined || id === '' ? [] : [{ scheme: 'x509', id }]
}

const connectionOf = (socket: WebSocket): number =>
  (socket.deserializeAttachment() as SocketMark).connection

/** Edge ids are drawn, not counted: an actor that lost its memory must not repeat one. */
function newEdgeId(): number {
  const [high, low] = crypto.getRandomValues(new Uint32Array(2))
  return ((high ?? 0) & 0xfffff) * 0x1_0000_0000 + (low ?? 0)
}

function joined(frames: readonly Uint8Array[]): Uint8Array {
  const only = frames.length === 1 ? frames[0] : undefined
  if (only !== undefined) return only
  let length = 0
  for (const frame of frames) length += frame.length
  const bytes = new Uint8Array(length)
  let at = 0
  for (const frame of frames) {
    bytes.set(frame, at)
    at += frame.length
  }
  return bytes
}

/** Frames in messages of a size that a browser shows progress with; a frame is never cut. */
function* messagesOf(frames: readonly Uint8Array[]): Generator<Uint8Array> {
  let [first, bytes] = [0, 0]
  for (let at = 0; at < frames.length; at++) {
    const { length } = frames[at] as Uint8Array
    if (at > first && bytes + length > limits.socketMessageBytesMax) {
      yield joined(frames.slice(first, at))
      first = at
      bytes = 0
    }
    bytes += length
  }
  if (first < frames.length) yield joined(frames.slice(first))
}
