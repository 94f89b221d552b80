/**
 * One member of the ensemble, whole: consensus, tree, sessions and watches behind steps that take one input and answer
 * one turn. The shell performs the turn and nothing else.
 */
import { bytesOf } from './jute/codec.ts'
import { invariant } from './shared/assert.ts'
import {
  type CheckpointRules,
  CheckpointSchedule,
  type Due,
  nothingDue,
} from './checkpoint-schedule.ts'
import { DigestWatch, type Mismatch, type Noted } from './digest-watch.ts'
import { Damage } from './shared/damage.ts'
import { Errands } from './errands.ts'
import { limits } from './shared/limits.ts'
import type { Random } from './shared/random.ts'
import { TransitMap } from './shared/transit-map.ts'
import { asZxid, counterOf, showZxid, type Sid, type Zxid } from './shared/units.ts'
import { type Forwarded, readForwarded } from './request/forward.ts'
import type { QuotaWarning, Rules } from './request/prepare.ts'
import { isStandalone } from './request/prepare-reconfig.ts'
import { type ReapRules, Reign, type Revalidation } from './reign.ts'
import type { Authentication } from './session/desk/authentication.ts'
import { Desk, type DeskRules } from './session/desk/desk.ts'
import type { TreeEvent } from './tree/events.ts'
import type { EarlyRow, RowChange, RowKey, RowTable } from './tree/row-table.ts'
import { rowsToChunk } from './tree/snapshot.ts'
import { Tree } from './tree/tree.ts'
import { readTxn } from './tree/txn.ts'
import { type LinkId, newTurn, type PeerInput, type Persist, type Turn } from './turn.ts'
import type { Configuration } from './zab/configuration.ts'
import { entriesOf } from './zab/log-batch.ts'
import type { CarriedPacket, Packet } from './zab/messages.ts'
import { type OpenSnapshot, type RestoredLog, type ZabConfig, ZabMember } from './zab/member.ts'

export interface ReplicaConfig extends ZabConfig, ReapRules {
  readonly checkpoints: CheckpointRules
  readonly rules: Omit<Rules, 'isStorageFull'> & DeskRules & { readonly readOnlyMode: boolean }
  readonly authentication: Authentication
  /** Memory for znodes that did not change since the checkpoint. */
  readonly cacheBytes: number
}

/** A turn, and what it means for sessions and for the checkpoint. */
export interface ReplicaTurn extends Turn {
  /** Actors that something must be said to: `takeOutput`. */
  edges: number[]
  /** Actors whose sessions this member serves no longer. */
  readonly lostEdges: number[]
  /** Quotas that writes exceeded, each limit once in a while. */
  readonly warnings: QuotaWarning[]
  /** All of `persist` is log that a quorum has already: nobody waits for it. */
  canPersistLate: boolean
  /** `earlyRows` or `checkpoint` is to be called, and the rows written. */
  due: Due
  /** When the core wants to be woken; Infinity: not at all. */
  wakeAtMs: number
  /** Members that were seen to have another tree. */
  readonly mismatches: Mismatch[]
}

export class Replica {
  readonly zab: ZabMember
  readonly desk: Desk
  readonly #config: ReplicaConfig
  readonly #table: RowTable
  readonly #rules: { -readonly [K in keyof Rules]: Rules[K] }
  #tree: Tree
  /** While leading and serving. */
  #reign: Reign | undefined
  #isServing = false
  #now = 0
  #lastTxnTimeMs = 0
  /** Of sessions here, while another leads. */
  readonly #errands = new Errands()
  readonly #digests: DigestWatch
  #compareAtMs = 0
  /** Of the packets under way. */
  readonly #requests = new TransitMap<Packet, readonly Forwarded[]>()
  #openSnapshots = 0
  /** The configuration that the tree shows. */
  #noted: Configuration | undefined
  /** A snapshot was written over the checkpoint, and the tree is not yet opened anew. */
  #isInstalling = false
  readonly #schedule: CheckpointSchedule
  /** Since when there is no leader; Infinity: there is one. */
  #lookingSinceMs = Infinity
  #warnings: QuotaWarning[] = []
  readonly #warnedAtMs = new Map<string, number>()

  constructor(config: ReplicaConfig, restored: RestoredLog, table: RowTable, random: Random) {
    this.#config = config
    this.#table = table
    this.#rules = { ...config.rules, isStorageFull: false }
    this.#schedule = new CheckpointSchedule(config.checkpoints)
    this.#tree = new Tree(table, config.cacheBytes)
    invariant(this.#tree.applied === restored.committed, 'log and checkpoint are of one member')
    this.zab = new ZabMember(config, restored, { open: () => this.#openSnapshot() }, random)
    this.#digests = new DigestWatch(config.sid, this.zab.membership)
    const upstream = {
      forward: (request: Forwarded) => this.#forward(request),
      sync: (number: number) => this.#sync(number),
      revalidate: (number: number, session: bigint, attachment: number) =>
        this.#revalidate({ number, session, attachment }),
    }
    this.desk = new Desk(
      () => this.#tree,
      () => this.#now,
      upstream,
      config.authentication,
      config.rules,
      random.next() & 0x7fff_ffff,
    )
  }

  get tree(): Tree {
    return this.#tree
  }

  get isServing(): boolean {
    return this.#isServing
  }

  /** How often another member was seen to have another tree. */
  get digestMismatches(): number {
    return this.#digests.mismatches
  }

  /** Without a quorum, for clients that take that. */
  get isReadOnly(): boolean {
    return this.desk.isReadOnly
  }

  /** Whether writes that add are refused while this member leads. */
  get isStorageFull(): boolean {
    return this.#rules.isStorageFull
  }

  set isStorageFull(isFull: boolean) {
    this.#rules.isStorageFull = isFull
  }

  start(nowMs: number): ReplicaTurn {
    return this.#step(nowMs, (turn) => this.zab.start(nowMs, turn))
  }

  /** Takes one input of the ensemble's own. Throws MalformedFrame for packets whose requests are none. */
  receive(nowMs: number, input: PeerInput): ReplicaTurn {
    // Before anything moves: bytes that are no requests cost their sender the link, and must not cost us half a turn.
    if (input.type === 'packets') this.#readRequests(input.packets)
    return this.#step(nowMs, (turn) => {
      if (input.type === 'persisted') this.#reign?.persisted(input.number)
      this.zab.receive(nowMs, input, turn)
    })
  }

  /** Takes a message of a session actor. Throws MalformedFrame; an edge that is not served is answered as lost. */
  receiveEdge(nowMs: number, edge: number, message: Uint8Array): ReplicaTurn {
    return this.#step(nowMs, (turn) => {
      if (this.#isServing || this.isReadOnly) this.desk.receive(edge, message)
      else turn.lostEdges.push(edge)
    })
  }

  dropEdge(edge: number): void {
    this.desk.dropEdge(edge)
  }

  /** The rows that bring the checkpoint to the present. Nothing may be applied before `checkpointWritten`. */
  checkpoint(): { readonly zxid: Zxid; readonly rows: readonly RowChange[] } {
    invariant(this.#openSnapshots === 0, 'a checkpoint stands still while it is streamed')
    return this.#tree.checkpoint()
  }

  /** Rows of the next checkpoint, to be written now. Whoever reads the store finds none of them. */
  earlyRows(most: number): readonly EarlyRow[] {
    invariant(this.#openSnapshots === 0, 'a checkpoint stands still while it is streamed')
    return this.#tree.earlyRows(most)
  }

  /** The rows are written. Answers the zxid through which the log is needed no longer. */
  checkpointWritten(): Zxid {
    this.#tree.checkpointWritten()
    this.#schedule.written(this.#now)
    return this.zab.history.forget(this.#tree.checkpointZxid)
  }

  #step(nowMs: number, take: (turn: ReplicaTurn) => void): ReplicaTurn {
    this.#now = nowMs
    const turn: ReplicaTurn = {
      ...newTurn(),
      edges: [],
      lostEdges: [],
      warnings: this.#warnings,
      canPersistLate: false,
      due: nothingDue,
      wakeAtMs: Infinity,
      mismatches: [],
    }
    take(turn)
    this.#settle(turn)
    turn.edges = [...this.desk.edgesWithOutput()]
    turn.canPersistLate = turn.persist.every((persist) => isLogUpTo(this.zab.committed, persist))
    if (this.#mayCheckpoint) {
      turn.due = this.#schedule.due(nowMs, this.#tree, this.#rules.isStorageFull)
    }
    turn.wakeAtMs = Math.min(
      this.zab.wakeAtMs,
      this.#checkpointAtMs(turn.due),
      this.#reign?.wakeAtMs ?? Infinity,
      this.#readOnlyAtMs(),
      this.desk.wakeAtMs,
    )
    this.#warnings = []
    return turn
  }

  /** What zab wrote on the turn comes first: a tree, then its txns, then who may be served, then what was asked. */
  #settle(turn: ReplicaTurn): void {
    if (turn.persist.some(({ install }) => install !== undefined)) this.#isInstalling = true
    if (turn.installed !== undefined) {
      this.#isInstalling = false
      this.#digests.forgetOwn()
      this.#schedule.written(this.#now)
      this.#noted = undefined
      this.#tree = new Tree(this.#table, this.#config.cacheBytes)
      invariant(this.#tree.applied === turn.installed, 'an installed snapshot is the one announced')
    }
    if (turn.serving === false) this.#stopServing(turn)
    if (turn.committed !== undefined) this.#apply(turn.committed)
    if (turn.serving === true) this.#beginServing()
    else if (this.#isServing) this.#noteMembers()
    for (const { link, peer, packet } of turn.received)
      this.#receivePacket(turn, link, peer, packet)
    this.#judgeReadOnly(turn)
    this.desk.releaseThrottled()
    this.#errands.send(this.zab, this.zab.leaderLink, turn)
    this.#reign?.settle(turn)
    this.#compareTrees(turn)
  }

  #beginServing(): void {
    this.#isServing = true
    this.#lookingSinceMs = Infinity
    this.#noteMembers()
    if (this.zab.role !== 'leading') return
    this.#reign = new Reign(
      {
        zab: this.zab,
        tree: this.#tree,
        rules: this.#rules,
        reaps: this.#config,
        askers: this.desk,
        now: () => this.#now,
        warn: (warning) => this.#warn(warning),
      },
      this.#lastTxnTimeMs,
    )
  }

  /** The first configuration is no txn's, and neither is one that a snapshot or another member brought. */
  #noteMembers(): void {
    const { active } = this.zab.membership
    if (active === this.#noted) return
    this.#noted = active
    const isAlone = isStandalone(active, this.#config.rules)
    if (isAlone) this.#tree.setConfig(new Uint8Array(0), asZxid(0))
    else this.#tree.setConfig(bytesOf(active.text), active.version)
    // Who the first members are an actor knows from its settings.
    if (counterOf(active.version) > 0) this.desk.tellMembers(active.sids)
  }

  #stopServing(turn: ReplicaTurn): void {
    this.#isServing = false
    this.#reign = undefined
    this.#errands.forget()
    this.#digests.forgetOthers()
    turn.lostEdges.push(...this.desk.dropAll())
  }

  /** ReadOnlyZooKeeperServer: who finds no quorum for a while serves what it has, until it finds one. */
  #judgeReadOnly(turn: ReplicaTurn): void {
    if (!this.#mayServeAlone) return
    if (this.zab.phase.type !== 'looking') {
      this.#lookingSinceMs = Infinity
      if (!this.isReadOnly) return
      this.desk.isReadOnly = false
      turn.lostEdges.push(...this.desk.dropAll())
      turn.log.push('serves no longer without a quorum')
      return
    }
    if (this.#lookingSinceMs === Infinity) this.#lookingSinceMs = this.#now
    if (this.isReadOnly || this.#now < this.#readOnlyAtMs()) return
    this.desk.isReadOnly = true
    turn.log.push('serves reads without a quorum')
  }

  /** A member that lost what it had must not show the nothing it has. */
  get #mayServeAlone(): boolean {
    return this.#config.rules.readOnlyMode && !this.zab.mustRecover
  }

  #readOnlyAtMs(): number {
    // While a snapshot replaces the tree there is none to read.
    if (this.isReadOnly || this.#isInstalling || !this.#mayServeAlone) return Infinity
    return this.#lookingSinceMs + Math.max(limits.readOnlyGraceMs, this.#config.tickTimeMs)
  }

  #warn(warning: QuotaWarning): void {
    const key = `${warning.limit} ${warning.subject}`
    const warnedAtMs = this.#warnedAtMs.get(key) ?? -Infinity
    if (this.#now - warnedAtMs < limits.sameQuotaWarningMs) return
    // Forgetting all is one line too many at worst.
    if (this.#warnedAtMs.size >= limits.quotaWarningsRemembered) this.#warnedAtMs.clear()
    this.#warnedAtMs.set(key, this.#now)
    this.#warnings.push(warning)
  }

  #apply(committed: Zxid): void {
    const sid = this.#config.sid
    const events: TreeEvent[] = []
    let [txns, bytes] = [0, 0]
    for (const batch of this.zab.history.batches(this.#tree.applied, committed)) {
      for (const { txn } of entriesOf(batch)) {
        const { origin, header, body } = readTxn(txn)
        const number =
          origin.sid === sid && this.desk.waitsFor(origin.number) ? origin.number : undefined
        if (number !== undefined) this.desk.willApply(number)
        events.length = 0
        const outcome = this.#tree.apply(header, body, events, number !== undefined)
        this.#lastTxnTimeMs = header.time
        this.desk.applied(number, header, body, outcome, events)
        txns += 1
        const { applied } = this.#tree
        if (this.#digests.isDue(applied)) this.#digests.note(applied, this.#tree.digest())
      }
      bytes += batch.bytes.length
    }
    this.#schedule.applied(this.#now, txns, bytes)
    this.#reign?.applied()
  }

  #readRequests(packets: readonly Packet[]): void {
    this.#requests.clear()
    for (const packet of packets) {
      if (packet.type === 'request') this.#requests.set(packet, readForwarded(packet.bytes))
    }
  }

  #receivePacket(turn: ReplicaTurn, link: LinkId, peer: Sid, packet: CarriedPacket): void {
    switch (packet.type) {
      case 'request':
        for (const request of this.#requests.get(packet) ?? []) {
          this.#reign?.prepare(peer, request, link)
        }
        return
      case 'revalidate':
        if (this.#reign?.revalidate(peer, packet, link) !== true) return
        return this.zab.send(
          link,
          { type: 'revalidated', number: packet.number, alive: true },
          turn,
        )
      case 'revalidated':
        return this.desk.revalidated(packet.number, packet.alive)
      case 'sync':
        return this.#reign?.sync(packet.number, link)
      case 'synced':
        return this.desk.synced(packet.number)
      case 'digest':
        this.#digests.hear(packet)
        if (packet.zxid === this.#tree.applied) {
          this.#digests.note(packet.zxid, this.#tree.digest())
        }
        return
      case 'digested':
        return this.#judge(turn, link, peer, packet)
      case 'disowned':
        throw new Damage(`the tree at ${showZxid(packet.zxid)} is not the one a quorum has`)
    }
  }

  /** Each tick, and as soon as the leader's zxid is applied here: off the way of requests. */
  #compareTrees(turn: ReplicaTurn): void {
    const { leaderLink, leader } = this.zab
    if (leaderLink !== undefined && leader !== undefined) {
      const compared = this.#digests.compared(leader)
      if (compared === undefined) return
      if (compared.mismatch !== undefined) turn.mismatches.push(compared.mismatch)
      return this.zab.send(leaderLink, { type: 'digested', ...compared.own }, turn)
    }
    if (this.#reign === undefined || this.#now < this.#compareAtMs) return
    this.#compareAtMs = this.#now + this.#config.tickTimeMs
    const { applied } = this.#tree
    // While nothing is under way any zxid will do: everybody comes to stand at it.
    if (applied === this.#reign.last) this.#digests.note(applied, this.#tree.digest())
    const asked = this.#digests.ask(this.zab.learnerLinks)
    for (const link of asked?.links ?? []) {
      this.zab.send(link, { type: 'digest', ...(asked as { noted: Noted }).noted }, turn)
    }
  }

  #judge(turn: ReplicaTurn, link: LinkId, peer: Sid, said: Noted): void {
    const mismatch = this.#digests.answer(peer, link, said)
    if (mismatch !== undefined) turn.mismatches.push(mismatch)
    const judgement = this.#digests.judge()
    if (judgement.type === 'weDiffer') {
      throw new Damage(`the tree at ${showZxid(said.zxid)} is not the one a quorum has`)
    }
    if (judgement.type === 'open') return
    for (const wrong of judgement.links) {
      this.zab.send(wrong, { type: 'disowned', zxid: said.zxid }, turn)
    }
  }

  #forward(request: Forwarded): void {
    if (this.#reign === undefined) this.#errands.forward(request)
    else this.#reign.prepare(this.#config.sid, request)
  }

  #sync(number: number): void {
    if (this.#reign === undefined) this.#errands.sync(number)
    else this.#reign.sync(number)
  }

  #revalidate(asked: Revalidation): void {
    if (this.#reign === undefined) this.#errands.revalidate(asked)
    else if (this.#reign.revalidate(this.#config.sid, asked)) {
      this.desk.revalidated(asked.number, true)
    }
  }

  /** When there is something to write though nothing comes in. */
  #checkpointAtMs(due: Due): number {
    if (!this.#mayCheckpoint) return Infinity
    if (due.type === 'earlyRows' && due.isPressing) return this.#now
    return due.type === 'checkpoint' ? Infinity : this.#schedule.idleAtMs
  }

  /** A checkpoint that is streamed stands still, and one that is being replaced is no longer this tree's. */
  get #mayCheckpoint(): boolean {
    return this.#openSnapshots === 0 && !this.#isInstalling
  }

  #openSnapshot(): OpenSnapshot {
    this.#openSnapshots += 1
    let after: RowKey | undefined
    let isOpen = true
    return {
      zxid: this.#tree.checkpointZxid,
      next: () => {
        const rows = this.#table.page(after, limits.snapshotChunkBytes)
        after = rows.at(-1)
        return rows.length === 0 ? undefined : rowsToChunk(rows)
      },
      close: () => {
        if (isOpen) this.#openSnapshots -= 1
        isOpen = false
      },
    }
  }
}

/** Is it nothing but log, through this zxid? */
const isLogUpTo = (zxid: Zxid, persist: Persist): boolean =>
  persist.append !== undefined &&
  Object.keys(persist).length === 2 &&
  persist.append.every(({ last }) => last <= zxid)
