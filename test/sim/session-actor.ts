/** A session actor: the real host, driven as actors/session.ts drives it. Its sockets and its alarm are simulated. */
import { Writer } from '../../src/core/jute/codec.ts'
import { ConnectRequest, ConnectResponse } from '../../src/core/jute/records.ts'
import { asSid, type SessionId, type Sid } from '../../src/core/shared/units.ts'
import {
  readDown,
  type UpMessage,
  verdicts,
  writeUp,
} from '../../src/core/session/edge-messages.ts'
import { Host } from '../../src/core/session/host/host.ts'
import { decode } from '../../src/core/jute/codec.ts'
import { EdgeEnd } from './channel.ts'
import type { Wire } from './wire.ts'

export interface ActorConfig {
  readonly members: readonly Sid[]
  readonly tickTimeMs: number
  readonly minSessionTimeoutMs: number
  readonly maxSessionTimeoutMs: number
  readonly sessionsMax: number
  readonly outstandingLimit: number
}

/** What the world does for an actor. */
export interface ActorWorld {
  nowMs(actor: SessionActor): number
  /** By a clock that nobody moves. */
  readonly trueMs: number
  sendUp(actor: SessionActor, edge: EdgeEnd, payload: Uint8Array): void
  sendDown(wire: Wire, frames: Uint8Array): void
  /** Closes the client's connection from the actor's side. */
  hangup(wire: Wire): void
  setAlarm(actor: SessionActor, atMs: number): void
  setRetryTimer(actor: SessionActor, atMs: number): void
  /** A member armed the session's watches again at `zxid`. */
  rearmed(wire: Wire, since: number, zxid: number): void
  expires(session: bigint, silentMs: number, timeoutMs: number): void
  /** At which zxid the session began that lives now. */
  livesSince(session: bigint): number | undefined
  /** A member said that the session is no more. */
  expired(session: bigint, since: number): void
  nextEdgeId(): number
  trace(place: number, line: () => string): void
}

interface Life {
  heardMs: number
  /** By a clock that nobody moves. */
  trulyHeardMs: number
  /** When it was asked for last, whether it was resumed or not: by a clock that went back, before it was heard. */
  askedMs: number
  timeoutMs: number
}

type Outgoing = EdgeEnd & { outbox: Writer }

export class SessionActor {
  readonly place: number
  readonly home: Sid
  readonly number: number
  readonly #config: ActorConfig
  readonly #world: ActorWorld
  #host: Host
  wires = new Map<number, Wire>()
  edges = new Map<Sid, Outgoing>()
  /** Survives every crash. */
  alarmAtMs = Infinity
  /** When it last did anything. */
  steppedMs = 0
  #alarmSetForMs = Infinity
  /** What this world knows of the sessions' clients: when the actor heard each of them. */
  readonly #lives = new Map<bigint, Life>()
  readonly #resumes = new Map<number, { readonly session: bigint; readonly since: number }>()
  /** Sessions whose end was asked for, and since when each lived then. */
  readonly #ending = new Map<bigint, number | undefined>()
  #writes = new Map<number, Uint8Array[]>()
  #hangups: number[] = []
  #lastConnection = 0

  constructor(place: number, home: Sid, number: number, config: ActorConfig, world: ActorWorld) {
    this.place = place
    this.home = home
    this.number = number
    this.#config = config
    this.#world = world
    this.#host = this.#newHost()
  }

  get sessionCount(): number {
    return this.#host.sessionCount
  }

  get nowMs(): number {
    return this.#world.nowMs(this)
  }

  connected(wire: Wire): void {
    wire.connection = ++this.#lastConnection
    this.#trace(() => `connection ${wire.connection} of ${wire.client}`)
    this.wires.set(wire.connection, wire)
    const { connection: id, survives } = wire
    const pinned = wire.pinned === undefined ? undefined : asSid(wire.pinned)
    this.#step((nowMs) =>
      this.#host.connected(nowMs, {
        id,
        pinned,
        survives,
        address: `10.0.0.${wire.client}:1`,
        // Only who may write /zookeeper/config may change the members.
        identities: [{ scheme: 'super', id: '' }],
      }),
    )
  }

  received(wire: Wire, frames: readonly Uint8Array[]): void {
    wire.heardMs = this.nowMs
    wire.trulyHeardMs = this.#world.trueMs
    if (wire.session === undefined) this.#hearHello(frames)
    this.#hear(wire)
    this.#step((nowMs) => this.#host.receive(nowMs, wire.connection, frames))
  }

  /** The platform answered a ping for us, without our waking. */
  pinged(wire: Wire): void {
    wire.pingedMs = this.nowMs
    this.#hear(wire)
  }

  disconnected(wire: Wire): void {
    if (!this.wires.has(wire.connection)) return
    this.#trace(() => `connection ${wire.connection} of ${wire.client} is gone`)
    this.#step((nowMs) => this.#host.disconnected(nowMs, wire.connection))
    this.wires.delete(wire.connection)
  }

  receiveDown(member: Sid, payload: Uint8Array, memberZxid: number): void {
    if (this.#resumes.size > 0) this.#noteResumes(payload, memberZxid)
    if (this.#ending.size > 0) this.#noteEnds(payload)
    this.#step((nowMs) => this.#host.receiveDown(nowMs, member, payload))
  }

  memberLost(edge: EdgeEnd): void {
    if (this.edges.get(edge.member)?.id !== edge.id) return
    this.edges.delete(edge.member)
    this.#trace(() => `loses its channel to ${edge.member}`)
    this.#step((nowMs) => this.#host.memberLost(nowMs, edge.member))
  }

  /** An empty call: finds out whether the member still knows us. */
  probe(member: Sid): void {
    const edge = this.edges.get(member)
    if (edge !== undefined) this.#world.sendUp(this, edge, nothing)
  }

  alarm(): void {
    this.#trace(() => 'alarm')
    this.#alarmSetForMs = Infinity
    this.alarmAtMs = Infinity
    for (const member of this.edges.keys()) this.probe(member)
    this.#step((nowMs) => {
      this.#host.recover(nowMs)
      this.#host.wake(nowMs)
    })
  }

  retry(): void {
    this.#step((nowMs) => this.#host.wake(nowMs))
  }

  /** Nothing is under way, and every client would come through hibernation. */
  get mayHibernate(): boolean {
    const isUnderWay = [...this.wires.values()].some(({ survives }) => !survives)
    return !isUnderWay && this.#host.retryAtMs === Infinity
  }

  /** Memory is lost; sockets stay, and what was written down at rest. */
  hibernate(): void {
    const survivors = this.#host.survivors()
    const wires = this.wires
    this.#forget()
    const nowMs = this.nowMs
    for (const edge of this.edges.values()) edge.outbox = new Writer(64)
    for (const row of survivors) {
      const wire = wires.get(row.connection)
      this.#host.revive(nowMs, row)
      if (wire !== undefined) this.wires.set(row.connection, wire)
      else this.#host.disconnected(nowMs, row.connection)
    }
    for (const [connection, wire] of wires) {
      if (!this.wires.has(connection)) this.#world.hangup(wire)
    }
    this.#recover()
  }

  /** Memory, sockets and channels are lost; the alarm stays. */
  crash(): void {
    const wires = this.wires
    this.#forget()
    this.edges = new Map()
    for (const wire of wires.values()) this.#world.hangup(wire)
    for (const life of this.#lives.values()) this.#heard(life)
    this.#recover()
  }

  #forget(): void {
    this.wires = new Map()
    this.#writes = new Map()
    this.#hangups = []
    this.#resumes.clear()
    this.#alarmSetForMs = Infinity
    this.#host = this.#newHost()
  }

  /** An alarm that is set says that there are sessions to judge. */
  #recover(): void {
    if (this.alarmAtMs === Infinity) return
    this.#alarmSetForMs = this.alarmAtMs
    this.#step((nowMs) => this.#host.recover(nowMs))
  }

  #newHost(): Host {
    const { home, number } = this
    return new Host(
      { home, number, ...this.#config },
      {
        write: (connection, frames) => this.#write(connection, frames),
        hangup: (connection) => void this.#hangups.push(connection),
        up: (member, message) => this.#up(member, message),
        passwordOf: (session) => passwordOf(session),
        pingedMs: (connection) => this.wires.get(connection)?.pingedMs ?? 0,
      },
      this.nowMs,
    )
  }

  #step(step: (nowMs: number) => unknown): void {
    this.steppedMs = this.nowMs
    step(this.nowMs)
    const { alarmAtMs, retryAtMs } = this.#host
    if (alarmAtMs < this.#alarmSetForMs) {
      this.#alarmSetForMs = alarmAtMs
      this.alarmAtMs = alarmAtMs
      this.#world.setAlarm(this, alarmAtMs)
    }
    for (const edge of this.edges.values()) {
      if (edge.outbox.at === 0) continue
      const payload = edge.outbox.take()
      edge.outbox.reset()
      this.#world.sendUp(this, edge, payload)
    }
    this.#flush()
    this.#world.setRetryTimer(this, retryAtMs)
  }

  #flush(): void {
    for (const [connection, frames] of this.#writes) {
      const wire = this.wires.get(connection)
      for (const frame of frames) if (wire !== undefined) this.#world.sendDown(wire, frame)
    }
    this.#writes.clear()
    for (const connection of this.#hangups.splice(0)) {
      const wire = this.wires.get(connection)
      this.wires.delete(connection)
      if (wire !== undefined) this.#world.hangup(wire)
    }
  }

  #trace(line: () => string): void {
    this.#world.trace(this.place, line)
  }

  #up(member: Sid, message: UpMessage): void {
    if (message.type !== 'request') this.#trace(() => `→${member} ${showUp(message)}`)
    if (message.type === 'resume') {
      // An answer that comes late to an earlier asking says nothing: the host has given up that slot.
      for (const [slot, { session }] of this.#resumes) {
        if (session === message.session) this.#resumes.delete(slot)
      }
      this.#resumes.set(message.slot, { session: message.session, since: message.lastZxid })
    } else if (message.type === 'expire') this.#noteExpiry(message.session)
    let edge = this.edges.get(member)
    if (edge === undefined) {
      const end = new EdgeEnd(this.#world.nextEdgeId(), this.place, member)
      edge = Object.assign(end, { outbox: new Writer(256) })
      this.edges.set(member, edge)
    }
    writeUp(edge.outbox, message)
  }

  #write(connection: number, frames: Uint8Array): void {
    const wire = this.wires.get(connection)
    if (wire?.session === undefined && wire !== undefined) this.#noteGreeting(wire, frames)
    const waiting = this.#writes.get(connection)
    if (waiting === undefined) this.#writes.set(connection, [frames])
    else waiting.push(frames)
  }

  #noteGreeting(wire: Wire, frames: Uint8Array): void {
    const { sessionId, timeOut } = decode(ConnectResponse, frames.subarray(4))
    wire.session = sessionId
    if (sessionId !== 0n) {
      this.#lives.set(sessionId, {
        heardMs: wire.heardMs,
        trulyHeardMs: wire.trulyHeardMs,
        askedMs: wire.heardMs,
        timeoutMs: timeOut,
      })
    }
  }

  #hearHello([hello]: readonly Uint8Array[]): void {
    if (hello === undefined) return
    const life = this.#lives.get(decode(ConnectRequest, hello).sessionId)
    if (life !== undefined) life.askedMs = this.nowMs
  }

  #hear(wire: Wire): void {
    const life = wire.session === undefined ? undefined : this.#lives.get(wire.session)
    if (life !== undefined) this.#heard(life)
  }

  #heard(life: Life): void {
    life.heardMs = this.nowMs
    life.askedMs = this.nowMs
    life.trulyHeardMs = this.#world.trueMs
  }

  #noteEnds(payload: Uint8Array): void {
    for (const message of readDown(payload)) {
      if (message.type !== 'expired') continue
      const since = this.#ending.get(message.session)
      this.#ending.delete(message.session)
      if (since !== undefined) this.#world.expired(message.session, since)
    }
  }

  #noteExpiry(session: bigint): void {
    if (!this.#ending.has(session)) this.#ending.set(session, this.#world.livesSince(session))
    const life = this.#lives.get(session)
    if (life === undefined) return this.#world.expires(session, Infinity, 0)
    // A clock that jumped may tell too much or too little: whoever was silent by any was silent.
    const silentMs = Math.max(
      this.nowMs - life.heardMs,
      this.nowMs - life.askedMs,
      this.#world.trueMs - life.trulyHeardMs,
    )
    return this.#world.expires(session, silentMs, life.timeoutMs)
  }

  /** Tells the wire's laws when a member takes over the watches of a client that is connected. */
  #noteResumes(payload: Uint8Array, memberZxid: number): void {
    for (const message of readDown(payload)) {
      if (message.type !== 'attached') continue
      const resume = this.#resumes.get(message.slot)
      this.#resumes.delete(message.slot)
      if (resume === undefined || message.verdict !== verdicts.alive) continue
      for (const wire of this.wires.values()) {
        if (wire.session === resume.session) this.#world.rearmed(wire, resume.since, memberZxid)
      }
    }
  }
}

const showUp = (message: UpMessage): string =>
  [message.type, 'session' in message ? message.session.toString(16) : ''].join(' ')
const nothing = new Uint8Array(0)

/** Sixteen bytes that follow from the id; nobody here guesses them. */
function passwordOf(session: SessionId): Uint8Array {
  const bytes = new Uint8Array(16)
  const view = new DataView(bytes.buffer)
  view.setBigInt64(0, session)
  view.setBigInt64(8, session ^ 0x5eed_5eed_5eed_5eedn)
  return bytes
}
