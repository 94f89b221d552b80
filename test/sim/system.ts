/** The whole system in virtual time: members, session actors, and clients that talk frames. */
import type { Random } from '../../src/core/shared/random.ts'
import { limits } from '../../src/core/shared/limits.ts'
import type { Sid, Zxid } from '../../src/core/shared/units.ts'
import type { EdgeEnd } from './channel.ts'
import { Client, type ClientWorld, type Task } from './client.ts'
import { ClientLaws } from './client-laws.ts'
import type { Tally } from './faults.ts'
import { type Actors, Members } from './members.ts'
import { MembershipLaws, type Roles } from './membership-laws.ts'
import { recipes } from './recipe-laws.ts'
import { type ActorWorld, SessionActor } from './session-actor.ts'
import { contend, furnish, reconfigure, wander } from './tasks.ts'
import { CalmWeather, type SystemSwarm, type Weather } from './weather.ts'
import { Wire } from './wire.ts'

// Snapshots of several chunks, though the trees here are small.
Object.assign(limits, { snapshotChunkBytes: 400 })

const firstActor = 100
const firstClient = 200

export class System implements Actors, ActorWorld, ClientWorld {
  readonly laws: ClientLaws
  readonly members: Members
  readonly actors: SessionActor[]
  readonly clients: Client[] = []
  /** Told what happens, a line each; undefined: nobody looks. */
  onLine: ((line: string) => void) | undefined
  readonly #swarm: SystemSwarm
  readonly #random: Random
  readonly #faults: Tally
  readonly #retryTimers = new Map<SessionActor, number>()
  readonly #silentWires = new WeakSet<Wire>()
  #lastEdge = 0

  constructor(swarm: SystemSwarm, weather: Weather, random: Random, faults: Tally) {
    this.#swarm = swarm
    this.#random = random
    this.#faults = faults
    const { voters, sids } = swarm.config.first
    const observers = sids.filter((sid) => !voters.includes(sid))
    this.laws = new ClientLaws(new MembershipLaws(voters, observers))
    this.members = new Members(swarm, weather, random, this.laws, faults, this)
    const { tickTimeMs } = swarm.config
    const config = {
      members: sids,
      tickTimeMs,
      minSessionTimeoutMs: 2 * tickTimeMs,
      maxSessionTimeoutMs: 15 * tickTimeMs,
      sessionsMax: 100,
      outstandingLimit: 1000,
    }
    this.actors = Array.from({ length: swarm.actors }, (_, at) => {
      const home = this.members.sids[at % this.members.sids.length] as Sid
      return new SessionActor(firstActor + at, home, at + 1, config, this)
    })
  }

  get weather(): Weather {
    return this.members.network
  }

  get clock(): Members['clock'] {
    return this.members.clock
  }

  start(): void {
    for (const sid of this.members.sids) this.members.start(sid)
    for (let at = 0; at < this.#swarm.clients; at++) this.addClient()
  }

  calm(): void {
    this.members.network = new CalmWeather()
  }

  watch(onLine: (line: string) => void): void {
    const print = (line: string): void => onLine(`${this.clock.nowMs} ${line}`)
    this.onLine = print
    this.members.onLine = (line) => print(line())
  }

  addClient(): Client {
    const place = firstClient + this.clients.length
    const client = new Client(place, this.#swarm.sessionTimeoutMs, this)
    this.clients.push(client)
    this.after(this.#random.between(1, 300), () => client.connect())
    return client
  }

  // what actors ask of the world

  get trueMs(): number {
    return this.clock.nowMs
  }

  nowMs(actor: SessionActor): number {
    return this.members.timeAt(actor.place)
  }

  nextEdgeId(): number {
    this.#lastEdge += 1
    return this.#lastEdge
  }

  sendUp(actor: SessionActor, edge: EdgeEnd, payload: Uint8Array): void {
    const number = edge.nextOut++
    this.#call(
      { from: actor.place, to: edge.member, order: edge, departureMs: this.clock.nowMs },
      () => this.members.arriveUp(edge.member, edge, number, payload),
      () => actor.memberLost(edge),
    )
  }

  sendDown(wire: Wire, frames: Uint8Array): void {
    this.#carry(wire, 'client', () => this.#clientOf(wire).received(wire, frames))
  }

  rearmed(wire: Wire, since: number, zxid: number): void {
    this.#inOrder(wire, 'client', 0, () => this.#clientOf(wire).rearmed(wire, since, zxid))
  }

  hangup(wire: Wire): void {
    wire.isOpenAtActor = false
    this.#inOrder(wire, 'client', 1, () => this.#closeAtClient(wire))
  }

  expires(session: bigint, silentMs: number, timeoutMs: number): void {
    this.laws.expires(session, silentMs, timeoutMs)
  }

  livesSince(session: bigint): number | undefined {
    return this.laws.livesSince(session)
  }

  expired(session: bigint, since: number): void {
    this.laws.expired(session, since)
  }

  setAlarm(actor: SessionActor, atMs: number): void {
    const delayMs = Math.max(0, atMs - this.nowMs(actor)) + this.weather.alarmLatenessMs()
    this.after(delayMs, () => {
      if (actor.alarmAtMs !== atMs) return
      actor.alarm()
      if (this.weather.ringsTwice()) actor.alarm()
    })
  }

  setRetryTimer(actor: SessionActor, atMs: number): void {
    if (this.#retryTimers.get(actor) === atMs) return
    this.#retryTimers.set(actor, atMs)
    if (atMs === Infinity) return
    this.after(Math.max(0, atMs - this.nowMs(actor)), () => {
      if (this.#retryTimers.get(actor) !== atMs) return
      this.#retryTimers.set(actor, Infinity)
      actor.retry()
    })
  }

  // what members ask of the actors

  deliver(edge: EdgeEnd, payload: Uint8Array, zxid: Zxid, departureMs: number): void {
    const actor = this.#actorAt(edge.actor)
    const number = edge.nextOut++
    // What rides on the answer to a call of the actor's is missed by the actor, if it is lost.
    const isAnswer = edge.isHeld
    edge.isHeld = false
    const known = actor.edges.get(edge.member)
    this.#call(
      { from: edge.member, to: edge.actor, order: edge, departureMs },
      () => this.#arriveDown(actor, edge, number, payload, zxid),
      () => {
        if (!isAnswer) this.members.edgeLost(edge)
        else if (known !== undefined) actor.memberLost(known)
      },
    )
  }

  callFailed(edge: EdgeEnd): void {
    const actor = this.#actorAt(edge.actor)
    const known = actor.edges.get(edge.member)
    if (known?.id !== edge.id) return
    this.after(this.#random.between(1, 5), () => actor.memberLost(known))
  }

  memberServes(sid: Sid, sessions: Iterable<bigint>): void {
    const told = new Set<SessionActor>()
    for (const session of sessions) told.add(this.#actorOf(session))
    for (const actor of told) {
      const fate = this.weather.fate(sid, actor.place)
      if (fate.type === 'arrives') this.after(fate.delayMs, () => actor.probe(sid))
    }
  }

  // what clients ask of the world

  after(ms: number, run: () => void): void {
    this.clock.after(ms, run)
  }

  trace(place: number, line: () => string): void {
    this.onLine?.(`${place}: ${line()}`)
  }

  newTasks(client: Client): Task[] {
    const random = this.#random
    const { pauseMaxMs, syncsPercent } = this.#swarm
    const tasks = [furnish(), wander(random, pauseMaxMs, syncsPercent)]
    if (random.between(0, 1) === 0) tasks.push(wander(random, pauseMaxMs, syncsPercent))
    const [lock, election] = recipes
    if (random.between(0, 1) === 0) tasks.push(contend(client, random, lock, 40))
    if (random.between(0, 2) === 0) tasks.push(contend(client, random, election, 600))
    const { reconfigPauseMs } = this.#swarm
    if (reconfigPauseMs < Infinity) {
      const roles = (): Roles => this.laws.membership.roles
      tasks.push(reconfigure(random, this.members.sids, roles, reconfigPauseMs))
    }
    return tasks
  }

  connect(client: Client, session: bigint | undefined): Wire {
    const random = this.#random
    const { sids } = this.members
    const actor =
      session === undefined
        ? (this.actors[random.next() % this.actors.length] as SessionActor)
        : this.#actorOf(session)
    const survives = random.between(0, 99) < this.#swarm.webSocketPercent
    const pinned = random.between(0, 2) === 0 ? sids[random.next() % sids.length] : undefined
    const wire = new Wire(client.place, actor.place, survives, pinned)
    this.#inOrder(wire, 'actor', 1, () => {
      if (wire.isOpenAtClient) actor.connected(wire)
    })
    return wire
  }

  send(wire: Wire, frames: readonly Uint8Array[]): void {
    this.#carry(wire, 'actor', () => this.#actorAt(wire.actor).received(wire, frames))
  }

  ping(wire: Wire): void {
    this.#carry(wire, 'actor', () => {
      this.#actorAt(wire.actor).pinged(wire)
      this.#carry(wire, 'client', () => this.#clientOf(wire).pong(wire))
    })
  }

  close(wire: Wire): void {
    wire.isOpenAtClient = false
    if (!this.weather.tellsClose()) return
    this.#inOrder(wire, 'actor', 1, () => this.#closeAtActor(wire))
  }

  worldMs(): number {
    return this.clock.nowMs
  }

  isUpToDateSince(ms: number): boolean {
    return this.members.staleMs < ms
  }

  /** Breaks a client's connection; both sides hear of it, or not. */
  breakWire(wire: Wire): void {
    this.#faults.count('connection broken')
    // Nothing that is said now gets through, though nobody knows yet.
    this.#silentWires.add(wire)
    this.after(this.#random.between(1, 20), () => this.#closeAtClient(wire))
    if (!this.weather.tellsClose()) return
    this.after(this.#random.between(1, 20), () => this.#closeAtActor(wire))
  }

  /** An actor loses its memory, and by a crash its sockets too. */
  actorLosesMemory(actor: SessionActor, how: 'crash' | 'hibernate'): void {
    this.#faults.count(how === 'crash' ? 'actor crash' : 'hibernation')
    this.onLine?.(`${actor.place}: ${how}`)
    this.#retryTimers.set(actor, Infinity)
    if (how === 'crash') actor.crash()
    else actor.hibernate()
  }

  /** Nothing of the actor's is under way, and every client would come through. */
  mayHibernate(actor: SessionActor): boolean {
    const isOwed = [...this.members.nodes.values()].some(
      ({ isAlive, edges }) =>
        isAlive && [...edges.values()].some((edge) => edge.actor === actor.place && edge.isHeld),
    )
    return !isOwed && actor.mayHibernate && this.nowMs(actor) - actor.steppedMs > 300
  }

  #arriveDown(
    actor: SessionActor,
    edge: EdgeEnd,
    number: number,
    payload: Uint8Array,
    zxid: Zxid,
  ): boolean {
    const known = actor.edges.get(edge.member)
    if (known?.id !== edge.id) return false
    const order = known.accept(number)
    if (order === 'over') {
      actor.memberLost(known)
      return false
    }
    if (order === 'next') actor.receiveDown(edge.member, payload, zxid)
    return true
  }

  /** A call between an actor and a member. Messages of one end arrive in their order. */
  #call(
    way: {
      readonly from: number
      readonly to: number
      readonly order: EdgeEnd
      readonly departureMs: number
    },
    arrive: () => boolean,
    failed: () => void,
  ): void {
    const fate = this.weather.fate(way.from, way.to)
    if (fate.type !== 'arrives') this.onLine?.(`${way.from}→${way.to} a call is ${fate.type}`)
    if (fate.type === 'silent') {
      const { tickTimeMs, syncLimitTicks } = this.#swarm.config
      return this.after(2 * tickTimeMs * syncLimitTicks, failed)
    }
    const arrivesMs = way.departureMs + fate.delayMs
    if (fate.type === 'late') this.clock.at(way.departureMs + fate.failsMs, failed)
    if (fate.type === 'lost') return this.clock.at(arrivesMs, failed)
    if (way.order.arrivesMs > arrivesMs) this.#faults.count('call overtaken')
    way.order.arrivesMs = Math.max(way.order.arrivesMs, arrivesMs)
    this.clock.at(way.order.arrivesMs, () => {
      const isTaken = arrive()
      if (fate.type === 'late') return
      if (!isTaken || fate.type === 'answerLost') this.after(1, failed)
      else if (fate.type === 'repeated' && !arrive()) this.after(1, failed)
    })
  }

  /** Brings something over a client's connection, or breaks it. */
  #carry(wire: Wire, to: 'client' | 'actor', arrive: () => void): void {
    if (this.#silentWires.has(wire)) return
    const [from, dest] = to === 'client' ? [wire.actor, wire.client] : [wire.client, wire.actor]
    const fate = this.weather.fate(from, dest)
    if (fate.type !== 'arrives') this.onLine?.(`${from}→${dest} frames are ${fate.type}`)
    if (fate.type === 'silent') {
      this.#silentWires.add(wire)
      return
    }
    if (fate.type === 'lost') return this.breakWire(wire)
    this.#inOrder(wire, to, fate.delayMs, arrive)
    if (fate.type === 'answerLost') this.breakWire(wire)
  }

  #inOrder(wire: Wire, to: 'client' | 'actor', delayMs: number, arrive: () => void): void {
    const key = to === 'client' ? 'toClientMs' : 'toActorMs'
    wire[key] = Math.max(wire[key], this.clock.nowMs + delayMs)
    this.clock.at(wire[key], () => {
      if (to === 'client' ? wire.isOpenAtClient : wire.isOpenAtActor) arrive()
    })
  }

  #closeAtClient(wire: Wire): void {
    if (!wire.isOpenAtClient) return
    wire.isOpenAtClient = false
    this.#clientOf(wire).closed(wire)
  }

  #closeAtActor(wire: Wire): void {
    if (!wire.isOpenAtActor) return
    wire.isOpenAtActor = false
    this.#actorAt(wire.actor).disconnected(wire)
  }

  #actorOf(session: bigint): SessionActor {
    const bits = BigInt.asUintN(64, session)
    return this.actors[Number((bits >> 40n) & 0xffffn) - 1] as SessionActor
  }

  #actorAt(place: number): SessionActor {
    return this.actors[place - firstActor] as SessionActor
  }

  #clientOf(wire: Wire): Client {
    return this.clients[wire.client - firstClient] as Client
  }
}
