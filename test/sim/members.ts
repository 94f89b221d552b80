/**
 * The members of a whole system: real replicas over disks that crash. A turn is performed effect by effect as
 * actors/member.ts does it, and a member may die between any two of them.
 */
import { invariant } from '../../src/core/shared/assert.ts'
import type { Random } from '../../src/core/shared/random.ts'
import { readSettings } from '../../src/core/shared/read-settings.ts'
import { limits } from '../../src/core/shared/limits.ts'
import { asSid, type Sid, type Zxid } from '../../src/core/shared/units.ts'
import type { ReplicaConfig, ReplicaTurn } from '../../src/core/replica.ts'
import { readTxn } from '../../src/core/tree/txn.ts'
import type { Persist, Turn } from '../../src/core/turn.ts'
import { entriesOf, type LogBatch } from '../../src/core/zab/log-batch.ts'
import { EdgeEnd } from './channel.ts'
import type { ClientLaws } from './client-laws.ts'
import { CrashingStore } from './crashing-store.ts'
import { Ensemble } from './ensemble.ts'
import type { Tally } from './faults.ts'
import { authentication, ReplicaNode } from './replica-node.ts'
import type { SystemSwarm, Weather } from './weather.ts'
import { ZabLaws } from './zab-laws.ts'

/** Clocks show a time far from zero, so that they may jump back. */
const bornMs = 1_000_000_000

/** The actors as the members see them. */
export interface Actors {
  /** Carries a message to the actor; `failed` hears that it did not arrive. */
  deliver(edge: EdgeEnd, payload: Uint8Array, zxid: Zxid, departureMs: number): void
  /** A call of the actor's that was held open fails. */
  callFailed(edge: EdgeEnd): void
  memberServes(sid: Sid, sessions: Iterable<bigint>): void
}

export class Members extends Ensemble<ReplicaNode> {
  declare network: Weather
  readonly zab: ZabLaws
  readonly laws: ClientLaws
  readonly faults: Tally
  onLine: ((line: () => string) => void) | undefined
  /** When a member of an older reign last did something while it served. */
  staleMs = -1
  readonly #actors: Actors
  readonly #random: Random
  readonly #config: Omit<ReplicaConfig, 'sid'>
  readonly #hasOutputGate: boolean
  /** Do members that share a thread flush before they say anything? */
  readonly #isGated: boolean
  readonly #stores = new Map<Sid, CrashingStore>()
  readonly #digests = new Map<Zxid, string>()
  /** How far each place's clock is from the world's. */
  readonly #skews = new Map<number, number>()

  constructor(
    swarm: SystemSwarm,
    network: Weather,
    random: Random,
    laws: ClientLaws,
    faults: Tally,
    actors: Actors,
  ) {
    super(network)
    this.#random = random
    this.#actors = actors
    this.#hasOutputGate = swarm.hasOutputGate
    this.#isGated = swarm.hasOutputGate && swarm.config.proposeToQuorum === true
    this.#config = configOf(swarm)
    this.laws = laws
    this.faults = faults
    this.zab = new ZabLaws()
    const { sids } = swarm.config.first
    for (const sid of [...sids, ...swarm.spares]) this.#stores.set(sid, new CrashingStore())
  }

  /** The first members, and whoever may become one. */
  get sids(): Sid[] {
    return [...this.#stores.keys()]
  }

  /** What the clock at a place shows. */
  timeAt(place: number): number {
    return bornMs + this.clock.nowMs + (this.#skews.get(place) ?? 0)
  }

  jumpClock(place: number, byMs: number): void {
    this.faults.count('clock jump')
    this.#skews.set(place, (this.#skews.get(place) ?? 0) + byMs)
  }

  start(sid: Sid): void {
    if (this.node(sid)) return
    const store = this.#stores.get(sid) as CrashingStore
    const node = new ReplicaNode({ ...this.#config, sid }, store, this.#random.next())
    node.appliedCount = this.#countThrough(node.applied)
    this.onLine?.(() => `${sid}: wakes at 0x${node.applied.toString(16)}`)
    this.begin(node)
  }

  /** Memory is lost, and of the writes that were not safe, some. */
  override crash(sid: Sid): void {
    const store = this.#stores.get(sid) as CrashingStore
    if (!this.node(sid)) return
    this.faults.count('crash')
    this.#die(sid)
    store.wake(this.network.keptWrites(store.unsafeCount))
  }

  /** Memory is lost, and nothing else. */
  evict(sid: Sid): void {
    const store = this.#stores.get(sid) as CrashingStore
    if (!this.node(sid)) return
    this.faults.count('eviction')
    this.#die(sid)
    store.wake(store.unsafeCount)
  }

  /** A call of an actor. False: it is refused. */
  arriveUp(sid: Sid, from: EdgeEnd, number: number, payload: Uint8Array): boolean {
    const node = this.node(sid)
    if (!node?.replica.isServing) return false
    const edge = node.edges.get(from.id) ?? this.#beginEdge(node, from, number)
    if (edge === undefined) return false
    const order = edge.accept(number)
    if (order === 'over') {
      this.edgeLost(edge)
      return false
    }
    if (order === 'early') return true
    if (payload.length > 0) {
      this.perform(node, node.receiveEdge(this.timeOf(node), edge.id, payload))
    }
    if (!node.isAlive) return false
    edge.isHeld = node.replica.desk.owes(edge.id)
    return true
  }

  /** The member hears that its channel to an actor is over. */
  edgeLost(edge: EdgeEnd): void {
    const node = this.node(edge.member)
    if (node?.edges.get(edge.id) !== edge) return
    this.#forgetEdge(node, edge)
    node.replica.dropEdge(edge.id)
  }

  protected override timeOf(node: ReplicaNode): number {
    return this.timeAt(node.sid)
  }

  protected override departureMs(node: ReplicaNode): number {
    return Math.max(this.clock.nowMs, node.gateMs)
  }

  protected perform(node: ReplicaNode, turn: Turn): void {
    this.#observe(node, turn as ReplicaTurn)
    for (const effect of this.#effects(node, turn as ReplicaTurn)) {
      if (this.network.diesNow()) {
        this.faults.count('death within a turn')
        return this.crash(node.sid)
      }
      effect()
      if (!node.isAlive) return
    }
  }

  /** In the order of Member.#performTurn. */
  #effects(node: ReplicaNode, turn: ReplicaTurn): (() => void)[] {
    const outputs = turn.edges.map((id) => [id, node.replica.desk.takeOutput(id)] as const)
    const effects = [() => this.sendNotes(node, turn)]
    const disconnect = (): void => {
      this.disconnect(node, turn)
      for (const id of turn.lostEdges) this.#closeEdge(node, id)
    }
    const { number } = turn.persist.at(-1) ?? {}
    const isGated = this.#isGated && number !== undefined && !turn.canPersistLate
    if (isGated) {
      effects.push(() => this.#writeGated(node, turn))
      effects.push(disconnect)
      effects.push(() => this.sendPackets(node, turn))
    } else if (turn.persist.length > 0) {
      // What the turn says leaves first: followers write while we write.
      effects.push(() => this.sendPackets(node, turn))
      effects.push(() => this.#write(node, turn))
      effects.push(disconnect)
    } else {
      effects.push(disconnect)
      effects.push(() => this.sendPackets(node, turn))
    }
    for (const [id, output] of outputs) {
      for (const payload of output ?? []) effects.push(() => this.#sendDown(node, id, payload))
    }
    const { connect } = turn
    if (connect !== undefined) effects.push(() => this.connect(node, connect))
    if (turn.serving === true) {
      effects.push(() => this.#actors.memberServes(node.sid, node.replica.tree.sessions.keys()))
    }
    if (isGated) {
      effects.push(() => this.take(node, { type: 'persisted', number }))
      return effects
    }
    const { due } = turn
    if (due.type === 'earlyRows') effects.push(() => this.#writeEarly(node, due.count))
    if (due.type === 'checkpoint') effects.push(() => this.#checkpoint(node))
    effects.push(() => this.#wakeAt(node, turn.wakeAtMs))
    return effects
  }

  /** As Member.#persist: what nobody waits for is written a little later, with what comes meanwhile. */
  #write(node: ReplicaNode, { persist, canPersistLate }: ReplicaTurn): void {
    node.unwritten.push(...persist)
    if (!canPersistLate) return this.#writeDown(node)
    if (node.isWriteLate) return
    node.isWriteLate = true
    this.faults.count('log written late')
    this.clock.after(limits.lateWriteMs + this.network.timerLatenessMs(), () => {
      if (node.isAlive) this.#writeDown(node)
    })
  }

  /** The flush comes before anything leaves and before anything else happens: as if it took no time. */
  #writeGated(node: ReplicaNode, { persist }: ReplicaTurn): void {
    this.faults.count('log written behind the gate')
    for (const one of [...node.unwritten.splice(0), ...persist]) node.write(one)
    node.store.harden()
  }

  /** Writes are reported as one, when the last of them is safe. */
  #writeDown(node: ReplicaNode): void {
    node.isWriteLate = false
    const persists = node.unwritten.splice(0)
    if (persists.length === 0) return
    this.persist(node, persists)
    if (this.#hasOutputGate && persists.some((one) => !isAppendOnly(one))) {
      node.gateMs = node.durableMs
    }
  }

  #writeEarly(node: ReplicaNode, count: number): void {
    this.faults.count('early rows')
    this.whenDurable(node, node.store.writeEarly(node.replica.earlyRows(count)))
    if (this.#hasOutputGate) node.gateMs = node.durableMs
  }

  #checkpoint(node: ReplicaNode): void {
    this.faults.count('checkpoint')
    this.#writeDown(node)
    this.whenDurable(node, node.store.writeCheckpoint(node.replica.checkpoint().rows))
    this.whenDurable(node, node.store.dropLog(node.replica.checkpointWritten()))
    if (this.#hasOutputGate) node.gateMs = node.durableMs
  }

  #wakeAt(node: ReplicaNode, atMs: number): void {
    if (atMs === Infinity || node.wakeAtMs <= atMs) return
    node.wakeAtMs = atMs
    node.timer += 1
    const { timer } = node
    const delayMs = Math.max(0, atMs - this.timeOf(node)) + this.network.timerLatenessMs()
    this.clock.after(delayMs, () => {
      if (node.timer !== timer) return
      node.wakeAtMs = Infinity
      this.take(node, { type: 'wake' })
    })
  }

  #die(sid: Sid): void {
    const node = this.node(sid) as ReplicaNode
    super.crash(sid)
    for (const edge of node.edges.values()) if (edge.isHeld) this.#actors.callFailed(edge)
  }

  #beginEdge(node: ReplicaNode, from: EdgeEnd, number: number): EdgeEnd | undefined {
    // Only a first message can begin an edge: any other belongs to one that an earlier life of ours had.
    if (number !== 0) return undefined
    const before = node.edges.get(node.edgeOfActor.get(from.actor) ?? -1)
    if (before !== undefined) {
      this.#closeEdge(node, before.id)
      node.replica.dropEdge(before.id)
    }
    const edge = new EdgeEnd(from.id, from.actor, node.sid)
    node.edges.set(edge.id, edge)
    node.edgeOfActor.set(edge.actor, edge.id)
    return edge
  }

  #closeEdge(node: ReplicaNode, id: number): void {
    const edge = node.edges.get(id)
    if (edge === undefined) return
    this.#forgetEdge(node, edge)
    if (edge.isHeld) this.#actors.callFailed(edge)
  }

  #forgetEdge(node: ReplicaNode, edge: EdgeEnd): void {
    node.edges.delete(edge.id)
    if (node.edgeOfActor.get(edge.actor) === edge.id) node.edgeOfActor.delete(edge.actor)
  }

  #sendDown(node: ReplicaNode, id: number, payload: Uint8Array): void {
    const edge = node.edges.get(id)
    if (edge === undefined) return
    this.#actors.deliver(edge, payload, node.applied, this.departureMs(node))
  }

  /** The laws look at what the core decided, before anything of it is performed. */
  #observe(node: ReplicaNode, turn: ReplicaTurn): void {
    const { sid, member } = node
    for (const line of turn.log) {
      this.onLine?.(() => `${sid}: ${line}`)
      invariant(!line.includes('at fault'), `Honesty: nobody is accused (${sid}: ${line})`)
    }
    const isLeading = member.phase.type === 'leading'
    if (turn.serving === true && isLeading) {
      this.zab.established(sid, member, turn)
      const isSafe = node.store.safeEpoch === member.epoch
      invariant(isSafe, 'Leadership3: who leads has its epoch on its disk')
      const { epoch } = member
      this.laws.membership.established((one) => this.#storeOf(one).safeEpoch >= epoch)
    }
    for (const { packet } of turn.send) {
      if (packet.type === 'ackEpoch' && member.epoch !== undefined) {
        this.zab.promises(sid, member.epoch, packet.currentEpoch >= 0)
      }
    }
    if (member.isServing && member.epoch < this.zab.newestEpoch) this.staleMs = this.clock.nowMs
    for (const persist of turn.persist) {
      if (persist.truncate !== undefined) this.zab.truncations += 1
      if (isLeading) persist.append?.forEach((batch) => this.#proposed(batch))
    }
    if (turn.installed !== undefined) {
      this.zab.snapshots += 1
      node.appliedThrough = turn.installed
      node.appliedCount = this.#countThrough(turn.installed)
    }
    if (node.applied > node.appliedThrough) this.#delivered(node)
    else if (turn.installed !== undefined) this.#compareDigest(node)
  }

  #proposed(batch: LogBatch): void {
    for (const { zxid, txn } of entriesOf(batch)) this.zab.proposed({ zxid, txn: textOf(txn) })
  }

  #delivered(node: ReplicaNode): void {
    const { applied } = node
    for (const batch of node.member.history.batches(node.appliedThrough, applied)) {
      for (const { zxid, txn } of entriesOf(batch)) {
        const isFirst = this.zab.delivered(node.appliedCount, { zxid, txn: textOf(txn) })
        node.appliedCount += 1
        if (!isFirst) continue
        const { header, body } = readTxn(txn)
        this.onLine?.(() => `${node.sid}: applies 0x${zxid.toString(16)} ${body.type}`)
        const { membership } = this.laws
        const { roles } = membership
        const text = body.type === 'reconfig' ? textOf(body.data ?? new Uint8Array(0)) : undefined
        membership.decided(text, (one) => this.#storeOf(one).isSafe(zxid))
        this.laws.committed(header, body, roles)
      }
    }
    node.appliedThrough = applied
    this.#compareDigest(node)
  }

  #storeOf(sid: number): CrashingStore {
    return this.#stores.get(asSid(sid)) as CrashingStore
  }

  #compareDigest(node: ReplicaNode): void {
    const { applied } = node
    const digest = node.replica.tree.digest()
    const known = this.#digests.get(applied)
    if (known === undefined) this.#digests.set(applied, digest)
    else invariant(known === digest, `Digest: ${node.sid} differs at 0x${applied.toString(16)}`)
  }

  #countThrough(zxid: Zxid): number {
    if (zxid === 0) return 0
    const place = this.zab.placeOf(zxid)
    invariant(place >= 0, 'Integrity: a checkpoint stands at what was applied')
    return place + 1
  }
}

const isAppendOnly = (persist: Persist): boolean =>
  persist.append !== undefined && Object.keys(persist).length === 2

const textOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')

function configOf(swarm: SystemSwarm): Omit<ReplicaConfig, 'sid'> {
  return {
    ...swarm.config,
    checkpoints: swarm.checkpoints,
    rules: {
      ...readSettings({}),
      extendedTypesEnabled: true,
      enforceQuota: true,
      reconfigEnabled: true,
      maxMembers: swarm.config.first.sids.length + swarm.spares.length,
    },
    authentication,
    containerCheckIntervalMs: 1000,
    containerMaxPerMinute: 600,
    cacheBytes: swarm.cacheBytes,
  }
}
