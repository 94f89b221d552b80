/**
 * One member of the ensemble, whole: consensus, tree, sessions and watches behind steps that take one input and answer
 * one turn. The shell performs the turn and nothing else.
 */
import { bytesOf } from './jute/codec.ts'
import { invariant } from './shared/assert.ts'
import { type CheckpointRules, CheckpointSchedule, type Due } from './checkpoint-schedule.ts'
import { DigestWatch, type Mismatch, type Noted } from './digest-watch.ts'
import { Damage } from './shared/damage.ts'
import { limits } from './shared/limits.ts'
import type { Random } from './shared/random.ts'
import { asSessionId, asZxid, counterOf, showZxid, type Sid, type Zxid } from './shared/units.ts'
import { ForwardWriter, type Forwarded, readForwarded } from './request/forward.ts'
import type { QuotaWarning, Rules } from './request/prepare.ts'
import { type Ensemble, isStandalone } from './request/prepare-reconfig.ts'
import { Proposer } from './request/proposer.ts'
import type { Authentication } from './session/authentication.ts'
import { Desk, type DeskRules } from './session/desk.ts'
import type { TreeEvent } from './tree/events.ts'
import type { Row, RowChange, RowKey, RowTable } from './tree/row-table.ts'
import { rowsToChunk } from './tree/snapshot.ts'
import { Tree } from './tree/tree.ts'
import { readTxn } from './tree/txn.ts'
import { type LinkId, newTurn, type PeerInput, type Persist, type Turn } from './turn.ts'
import type { Configuration } from './zab/configuration.ts'
import { entriesOf, type LogBatch } from './zab/log-batch.ts'
import type { CarriedPacket, Packet } from './zab/messages.ts'
import type { Round } from './zab/leader.ts'
import { type OpenSnapshot, type RestoredLog, type ZabConfig, ZabMember } from './zab/member.ts'

export interface ReplicaConfig extends ZabConfig {
  readonly checkpoints: CheckpointRules
  readonly rules: Omit<Rules, 'isStorageFull'> & DeskRules & { readonly readOnlyMode: boolean }
  readonly authentication: Authentication
  /** How often empty containers and old nodes are looked for, and how many go in a minute. */
  readonly containerCheckIntervalMs: number
  readonly containerMaxPerMinute: number
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
  /** `checkpoint` or `earlyRows` is to be called, and the rows written. */
  due: Due
  /** When the core wants to be woken; Infinity: not at all. */
  wakeAtMs: number
  /** Members that were seen to have another tree. */
  readonly mismatches: Mismatch[]
}

/** An answer of the leader's that waits until everything proposed before it is applied. */
interface PendingSync {
  /** Undefined: asked here. */
  readonly link: LinkId | undefined
  readonly number: number
  /** It was asked whether a session lives; the answer will be that it does not. */
  readonly ofSession: boolean
  readonly after: Zxid
  /** Waits for this round too. */
  readonly round?: Round
}

export class Replica {
  readonly zab: ZabMember
  readonly desk: Desk
  readonly #config: ReplicaConfig
  readonly #table: RowTable
  readonly #rules: { -readonly [K in keyof Rules]: Rules[K] }
  #tree: Tree
  #proposer: Proposer | undefined
  #isServing = false
  /** While leading: the zxid before the epoch's first txn. Nobody ever applies it. */
  #epochStart = asZxid(0)
  #now = 0
  #lastTxnTimeMs = 0
  #syncs: PendingSync[] = []
  /** Of this turn, to wait for a round that is not yet asked for. */
  #unsure: PendingSync[] = []
  readonly #digests: DigestWatch
  #compareAtMs = 0
  readonly #forwards = new ForwardWriter()
  /** Of the packets under way. */
  readonly #requests = new Map<Packet, readonly Forwarded[]>()
  /** Numbers of the persists that hold our own proposals and are not durable yet. */
  #unpersisted: number[] = []
  /** What this turn's sessions ask of the leader beside writes. */
  #askedSyncs: number[] = []
  #askedRevalidations: { number: number; session: bigint; attachment: number }[] = []
  /** When batches were proposed last. */
  #proposedAtMs = -Infinity
  /** Batches ready to be proposed. */
  #cutBatches: LogBatch[] = []
  #openSnapshots = 0
  /** Configurations whose members are to be woken. */
  readonly #called: Configuration[] = []
  /** The configuration that the tree shows. */
  #noted: Configuration | undefined
  /** A snapshot was written over the checkpoint, and the tree is not yet opened anew. */
  #isInstalling = false
  readonly #schedule: CheckpointSchedule
  #reapAtMs = Infinity
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
        this.#revalidate(number, session, attachment),
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
      if (input.type === 'persisted') {
        this.#unpersisted = this.#unpersisted.filter((number) => number > input.number)
      }
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

  /** Rows of the next checkpoint, to be written now. A store that is opened anew has none of them. */
  earlyRows(most: number): readonly Row[] {
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
      due: { type: 'nothing' },
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
      this.#mayCheckpoint ? this.#schedule.idleAtMs : Infinity,
      this.#nextReapMs(),
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
    this.#flushForwards(turn)
    for (const configuration of this.#called.splice(0)) this.zab.call(configuration, turn)
    this.#reap()
    this.#propose(turn)
    this.#askQuorum(turn)
    this.#answerSyncs(turn)
    this.#compareTrees(turn)
  }

  #beginServing(): void {
    this.#isServing = true
    this.#lookingSinceMs = Infinity
    this.#noteMembers()
    if (this.zab.role !== 'leading') return
    this.#epochStart = this.zab.lastProposed
    const rules = this.#rules
    const warn = (warning: QuotaWarning): void => this.#warn(warning)
    this.#proposer = new Proposer(this.#tree, this.#epochStart, rules, this.#ensemble(), warn)
    this.#reapAtMs = this.#now + this.#config.containerCheckIntervalMs
  }

  /** What the proposer may ask the leader's consensus. */
  #ensemble(): Ensemble {
    const { zab } = this
    return {
      get active() {
        return zab.membership.active
      },
      gather: (configuration) => {
        const isSynced = zab.hasSynced(configuration)
        if (!isSynced) this.#called.push(configuration)
        return isSynced
      },
    }
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
    this.#proposer = undefined
    this.#syncs = []
    this.#unsure = []
    this.#unpersisted = []
    this.#cutBatches = []
    this.#forwards.take()
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
    this.#proposer?.applied(this.#tree.applied)
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
        for (const request of this.#requests.get(packet) ?? []) this.#prepare(peer, request, link)
        return
      case 'revalidate': {
        const alive = this.#judgeAttachment(peer, packet, link)
        const { number } = packet
        if (alive) this.zab.send(link, { type: 'revalidated', number, alive }, turn)
        return undefined
      }
      case 'revalidated':
        return this.desk.revalidated(packet.number, packet.alive)
      case 'sync':
        if (this.#proposer === undefined) return
        this.#syncs.push({
          link,
          number: packet.number,
          ofSession: false,
          after: this.#proposer.last,
        })
        return
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
    if (this.#proposer === undefined || this.#now < this.#compareAtMs) return
    this.#compareAtMs = this.#now + this.#config.tickTimeMs
    const { applied } = this.#tree
    // While nothing is under way any zxid will do: everybody comes to stand at it.
    if (applied === this.#proposer.last) this.#digests.note(applied, this.#tree.digest())
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
    if (this.#proposer !== undefined) this.#prepare(this.#config.sid, request)
    else this.#forwards.add(request)
  }

  #prepare(sid: Sid, request: Forwarded, link?: LinkId): void {
    const proposer = this.#proposer
    // The zxids are used up: what is proposed already ends this reign, and whoever asked asks the next leader.
    if (proposer === undefined || counterOf(proposer.last) === limits.counterMax) return
    if (proposer.isNeedlessEnd(request)) {
      return this.#answerWhenSure(proposer, { link, number: request.number, ofSession: false })
    }
    if (proposer.waitingBytes + request.frame.length > limits.logBatchBytesMax) this.#cutBatch()
    // The clock of a new leader may be behind; the times of txns never are.
    this.#lastTxnTimeMs = Math.max(this.#lastTxnTimeMs, this.#now)
    proposer.prepare(sid, request, this.#lastTxnTimeMs)
  }

  /** A leader that was replaced does not know the newest sessions: that one is no more, a quorum must say. */
  #answerWhenSure(proposer: Proposer, asked: Omit<PendingSync, 'after'>): void {
    this.#unsure.push({ ...asked, after: proposer.last })
  }

  /** One round for all that came in a turn. */
  #askQuorum(turn: Turn): void {
    if (this.#unsure.length === 0) return
    const round = this.zab.askRound(turn)
    for (const asked of this.#unsure.splice(0)) this.#syncs.push({ ...asked, round })
  }

  /** Undefined: a quorum is asked first. */
  #judgeAttachment(
    sid: Sid,
    asked: { readonly number: number; readonly session: bigint; readonly attachment: number },
    link?: LinkId,
  ): true | undefined {
    const proposer = this.#proposer
    // As with a request: the next leader will know.
    if (proposer === undefined || counterOf(proposer.last) === limits.counterMax) return undefined
    const { number, session, attachment } = asked
    if (proposer.revalidate(asSessionId(session), sid, attachment)) return true
    this.#answerWhenSure(proposer, { link, number, ofSession: true })
    return undefined
  }

  #sync(number: number): void {
    if (this.#proposer === undefined) this.#askedSyncs.push(number)
    else {
      const { last } = this.#proposer
      this.#syncs.push({ link: undefined, number, ofSession: false, after: last })
    }
  }

  #revalidate(number: number, session: bigint, attachment: number): void {
    if (this.#proposer === undefined) this.#askedRevalidations.push({ number, session, attachment })
    else if (this.#judgeAttachment(this.#config.sid, { number, session, attachment })) {
      this.desk.revalidated(number, true)
    }
  }

  /** Sends what this turn's sessions ask of the leader, writes before the syncs that wait for them. */
  #flushForwards(turn: Turn): void {
    const link = this.zab.leaderLink
    const syncs = this.#askedSyncs
    const revalidations = this.#askedRevalidations
    this.#askedSyncs = []
    this.#askedRevalidations = []
    if (link === undefined) return
    if (this.#forwards.byteLength > 0) {
      this.zab.send(link, { type: 'request', bytes: this.#forwards.take() }, turn)
    }
    for (const asked of revalidations) this.zab.send(link, { type: 'revalidate', ...asked }, turn)
    for (const number of syncs) this.zab.send(link, { type: 'sync', number }, turn)
  }

  /** The leader deletes containers that lost their last child, and nodes that outlived their time (ContainerManager). */
  #reap(): void {
    const proposer = this.#proposer
    if (proposer === undefined || this.#now < this.#reapAtMs) return
    const { containerCheckIntervalMs, containerMaxPerMinute } = this.#config
    this.#reapAtMs = this.#now + containerCheckIntervalMs
    const most = Math.ceil((containerMaxPerMinute * containerCheckIntervalMs) / 60_000)
    for (const path of this.#tree.overdue(this.#now, most)) {
      this.#lastTxnTimeMs = Math.max(this.#lastTxnTimeMs, this.#now)
      proposer.reap(path, this.#lastTxnTimeMs)
    }
  }

  #nextReapMs(): number {
    return this.#proposer !== undefined && this.#tree.hasPerishables ? this.#reapAtMs : Infinity
  }

  /**
   * A batch costs every member a flush, however large it is. So what comes while others are under way waits until those are
   * committed, or until that takes long and it is as much as they are: a write alone never waits, and many become a few batches.
   */
  #propose(turn: Turn): void {
    const proposer = this.#proposer
    if (proposer === undefined) return
    if (this.#unpersisted.length >= limits.ownBatchesInFlightMax) return
    const { lastProposed } = this.zab
    const underWay = lastProposed - Math.max(this.#tree.applied, this.#epochStart)
    const isPatient = this.#now < this.#proposedAtMs + limits.commitPatienceMs
    if (underWay > 0 && (isPatient || proposer.last - lastProposed < underWay)) return
    this.#cutBatch()
    if (this.#cutBatches.length > 0) this.#proposedAtMs = this.#now
    for (const batch of this.#cutBatches) {
      this.zab.propose(this.#now, batch, turn)
      const persist = turn.persist.at(-1)
      if (persist !== undefined) this.#unpersisted.push(persist.number)
    }
    this.#cutBatches = []
  }

  /** A batch is one log row, and a row has a size. */
  #cutBatch(): void {
    const batch = this.#proposer?.take()
    if (batch !== undefined) this.#cutBatches.push(batch)
  }

  #answerSyncs(turn: Turn): void {
    if (this.#syncs.length === 0) return
    const applied = this.#tree.applied
    const isOver = ({ after, round }: PendingSync): boolean =>
      (after <= applied || after === this.#epochStart) &&
      (round === undefined || this.zab.isConfirmed(round))
    const over = this.#syncs.filter(isOver)
    if (over.length === 0) return
    this.#syncs = this.#syncs.filter((sync) => !isOver(sync))
    for (const { link, number, ofSession } of over) {
      if (link !== undefined) {
        const answer = ofSession
          ? ({ type: 'revalidated', number, alive: false } as const)
          : ({ type: 'synced', number } as const)
        this.zab.send(link, answer, turn)
      } else if (ofSession) this.desk.revalidated(number, false)
      else this.desk.synced(number)
    }
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
        for (;;) {
          const page = this.#table.page(after, limits.snapshotChunkBytes)
          after = page.at(-1)
          if (after === undefined) return undefined
          const rows = page.filter((row) => !this.#tree.isEarly(row))
          if (rows.length > 0) return rowsToChunk(rows)
        }
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
