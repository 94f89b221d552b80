/**
 * A session actor: the shell of a Host. Its WebSockets hibernate; its TCP connections are streams it reads while they
 * last. It speaks to members over edges, and is woken by the one alarm that judges its sessions.
 */
import { createHmac } from 'node:crypto'
import { DurableObject } from 'cloudflare:workers'
import { MalformedFrame } from '../core/jute/codec.ts'
import type { Settings } from '../core/shared/settings.ts'
import { asSid, type SessionId, type Sid } from '../core/shared/units.ts'
import { Host } from '../core/session/host/host.ts'
import type { Identity } from '../core/tree/acl.ts'
import { knownClientHeaders, readSubject } from '../core/wire/client.ts'
import { wholeFrames } from '../core/wire/deframer.ts'
import { ClientEnds, connectionOf } from './client-ends.ts'
import {
  type Env,
  firstMembersOf,
  instanceOf,
  memberStub,
  placeOfSessionActor,
  settingsOf,
} from './env.ts'
import { log } from './log.ts'
import { type HeldEnd, SessionEdges } from './session-edges.ts'
import { SessionStore } from './session-store.ts'
import { SessionTimers } from './session-timers.ts'
import { Streams } from './streams.ts'
import { TcpConnection } from './tcp-connection.ts'

export class Session extends DurableObject<Env> {
  readonly #settings: Settings
  readonly #name: string
  readonly #store: SessionStore
  readonly #secret: Uint8Array
  readonly #host: Host
  readonly #clients: ClientEnds
  readonly #streams: Streams
  readonly #edges: SessionEdges
  readonly #timers: SessionTimers

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    this.#settings = settingsOf(env)
    this.#store = new SessionStore(ctx.storage)
    this.#name = this.#store.name(ctx.id.name) ?? ''
    this.#secret = this.#store.secret()
    this.#clients = new ClientEnds(ctx, (connection) =>
      this.#step((nowMs) => this.#host.disconnected(nowMs, connection)),
    )
    this.#edges = this.#newEdges()
    this.#timers = this.#newTimers()
    this.#host = this.#newHost()
    this.#streams = new Streams(
      {
        host: this.#host,
        place: placeOfSessionActor(this.#name),
        step: (step) => this.#step(step),
        admits: () => this.admit(),
      },
      this.#clients,
      this.#settings.juteMaxBufferBytes,
    )
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
    const connection = this.#clients.acceptSocket(server)
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

  /** A TCP connection, or a trunk of many, handed over by the Worker. */
  override connect(socket: Socket): Promise<void> {
    return this.#streams.serve(new TcpConnection(socket))
  }

  /** A member has something to say; the answer is what this actor has. */
  deliver(member: number, edge: number, message: Uint8Array): Promise<Uint8Array> {
    return this.#edges.answer(asSid(member), edge, message)
  }

  /** A member began to serve: if it did so with no memory of our edge, the probe finds out. */
  memberServes(member: number): void {
    this.#edges.probe(asSid(member))
  }

  override webSocketMessage(socket: WebSocket, message: ArrayBuffer | string): void {
    const connection = connectionOf(socket)
    if (typeof message === 'string') return this.#clients.refuse(socket, 1003, 'frames are binary')
    try {
      const frames = wholeFrames(new Uint8Array(message), this.#settings.juteMaxBufferBytes)
      this.#step((nowMs) => this.#host.receive(nowMs, connection, frames))
    } catch (fault) {
      if (!(fault instanceof MalformedFrame)) throw fault
      this.#clients.refuse(socket, 1007, fault.message)
    }
    if (this.#host.isFlooding(connection)) {
      this.#clients.refuse(socket, 1013, 'too many requests without reading the replies')
    }
    return undefined
  }

  override webSocketClose(socket: WebSocket): void {
    this.#clients.socketClosed(socket)
  }

  override webSocketError(socket: WebSocket): void {
    this.#clients.socketClosed(socket)
  }

  override alarm(): void {
    this.#timers.alarmCame()
    // A member that restarted has forgotten our watches: a probe finds out.
    this.#edges.probeAll()
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
        write: (connection, frames) => this.#clients.write(connection, frames),
        hangup: (connection) => this.#clients.hangup(connection),
        up: (member, message) => this.#edges.send(member, message),
        passwordOf: (session) => this.#passwordOf(session),
        pingedMs: (connection) => this.#clients.pingedMs(connection),
      },
      Date.now(),
    )
  }

  #newEdges(): SessionEdges {
    const { ensemble, tickTimeMs, syncLimitTicks } = this.#settings
    return new SessionEdges(
      {
        call: (member, edge, message) =>
          memberStub(this.env, ensemble, member).exchange(this.#name, edge, message),
        hold: (member, edge) => this.#hold(member, edge),
        receive: (member, payload) =>
          this.#step((nowMs) => this.#host.receiveDown(nowMs, member, payload)),
        lost: (member, why) => {
          log('edge.lost', { actor: this.#name, member, why })
          this.#step((nowMs) => this.#host.memberLost(nowMs, member))
        },
      },
      2 * tickTimeMs * syncLimitTicks,
    )
  }

  /** A stream keeps this actor awake as long as it lasts; a held stub of another instance's member would pass no door. */
  #hold(member: Sid, edge: number): HeldEnd | undefined {
    const instance = instanceOf(this.env)
    const isNear = instance === undefined || instance === member
    if (!this.#clients.hasStreams || !isNear) return undefined
    const stub = memberStub(this.env, this.#settings.ensemble, member)
    return stub.hold(this.#name, edge) as unknown as HeldEnd
  }

  #newTimers(): SessionTimers {
    return new SessionTimers(this.ctx.storage, {
      wake: () => this.#step((nowMs) => this.#host.wake(nowMs)),
      isQuiet: () => this.#edges.areQuiet,
      rest: () => {
        this.#store.save(this.#host.survivors(), this.#edges.rows)
        this.#edges.rest()
      },
    })
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
    for (const edge of this.#store.edges()) this.#edges.revive(edge)
    for (const row of rows.values()) this.#host.revive(nowMs, row)
    for (const socket of sockets) {
      this.#clients.reviveSocket(socket, (connection) => rows.delete(connection))
    }
    // Sockets that were closed meanwhile: their sessions live on without them.
    for (const connection of rows.keys()) this.#host.disconnected(nowMs, connection)
    this.ctx.waitUntil(this.#recover())
  }

  /** An alarm that is set says that there are sessions to judge. */
  async #recover(): Promise<void> {
    if (await this.#timers.findAlarm()) this.#step((nowMs) => this.#host.recover(nowMs))
  }

  /** One step of the host, and everything it asked for. */
  #step(step: (nowMs: number) => unknown): void {
    step(Date.now())
    // First of all: a session that the ensemble has and no alarm judges would live for ever.
    this.#timers.setAlarm(this.#host.alarmAtMs)
    this.#edges.flush()
    this.#streams.readOn()
    this.#clients.flush()
    this.#timers.setRetry(this.#host.retryAtMs)
    this.#timers.busy(this.#clients.hasSockets)
    if (!this.#clients.hasStreams) this.#edges.letGo()
  }

  #passwordOf(session: SessionId): Uint8Array {
    const bytes = new Uint8Array(8)
    new DataView(bytes.buffer).setBigInt64(0, session)
    const mac = createHmac('sha256', this.#secret).update(bytes).digest()
    return new Uint8Array(mac.buffer, mac.byteOffset, 16).slice()
  }
}

/** What a certificate proves (X509AuthenticationProvider). */
function identitiesOf(subject: string | null): Identity[] {
  const id = readSubject(subject ?? '')
  return id === undefined || id === '' ? [] : [{ scheme: 'x509', id }]
}
