/** One ensemble member: wakes, steps its replica, performs the turn. All decisions are the replica's. */
import { createHash } from 'node:crypto'
import { DurableObject } from 'cloudflare:workers'
import type { Authentication } from '../core/session/desk/authentication.ts'
import { MalformedFrame } from '../core/jute/codec.ts'
import { BrokenInvariant } from '../core/shared/assert.ts'
import { Damage } from '../core/shared/damage.ts'
import { limits } from '../core/shared/limits.ts'
import { Random } from '../core/shared/random.ts'
import type { Settings } from '../core/shared/settings.ts'
import { asEpoch, asZxid, type Sid, showZxid, type Zxid } from '../core/shared/units.ts'
import type { ClientLine } from '../core/session/desk/edges.ts'
import type { Due } from '../core/checkpoint-schedule.ts'
import { Replica, type ReplicaTurn } from '../core/replica.ts'
import type { RowTable } from '../core/tree/row-table.ts'
import { checkpointZxidOf } from '../core/tree/tree.ts'
import type { PeerInput } from '../core/turn.ts'
import type { RestoredLog } from '../core/zab/member.ts'
import { showMembers } from '../core/zab/show.ts'
import type { Notification } from '../core/zab/messages.ts'
import { readNotification, writeNotification } from '../core/zab/packet-codec.ts'
import {
  actorOfSession,
  type Env,
  firstConfigurationOf,
  instanceOf,
  memberStub,
  sessionActorStub,
  settingsOf,
  sidOfMember,
} from './env.ts'
import { log } from './log.ts'
import { EdgeTarget, MemberEdges } from './member-edges.ts'
import { type LinkEnd, MemberLinks, type LinkTarget } from './member-links.ts'
import { type MemberStatus, statusOf } from './member-status.ts'
import { MemberStore } from './member-store.ts'
import { MemberWriter } from './member-writer.ts'

export class Member extends DurableObject<Env> {
  readonly #sid: Sid
  readonly #settings: Settings
  readonly #store: MemberStore
  readonly #writer: MemberWriter
  readonly #replica: Replica
  readonly #links: MemberLinks
  readonly #edges: MemberEdges
  readonly #startedMs = Date.now()
  /** The log through here is needed no longer, and is dropped bit by bit. */
  #dropsLogThrough: Zxid | undefined
  /** Rows must be written before anything else is taken. */
  #isOverdue = false
  #isCatchingUp = false
  #isDiskFull = false
  #lookAtMs = 0
  /** Nothing is taken any more: this life is as good as over. */
  #isEnding = false
  #timer: ReturnType<typeof setTimeout> | undefined
  #timerAtMs = Infinity

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    this.#settings = settingsOf(env)
    this.#store = new MemberStore(ctx.storage)
    const disk = { isCopied: this.#isCopied, isShared: this.#settings.proposeToQuorum }
    this.#writer = new MemberWriter(ctx, this.#store, disk, {
      persisted: (number) => this.#receive({ type: 'persisted', number }),
      orEnd: (act) => this.#orEnd(act),
    })
    const { name } = ctx.id
    this.#sid = this.#store.sid(name === undefined ? name : sidOfMember(name)) ?? sidOfMember(name)
    const { tickTimeMs, syncLimitTicks } = this.#settings
    const deadlineMs = tickTimeMs * syncLimitTicks
    this.#links = new MemberLinks(
      { receive: (input) => this.#receive(input), owes: () => this.#writer.isBusy },
      deadlineMs,
    )
    this.#edges = new MemberEdges(
      {
        receive: (edge, payload) =>
          this.#perform(() => this.#replica.receiveEdge(Date.now(), edge, payload)),
        owes: (edge) => this.#replica.desk.owes(edge),
        dropped: (edge) => this.#replica.dropEdge(edge),
        call: (actor, edge, message) =>
          sessionActorStub(env, actor).deliver(this.#sid, edge, message),
      },
      2 * deadlineMs,
    )
    this.#replica = this.#restore()
    this.#tellConfiguration()
    log('member.start', { sid: this.#sid, zxid: showZxid(this.#replica.tree.applied) })
    this.#tellTrouble()
    if (this.#isInService) this.#perform(() => this.#replica.start(Date.now()))
    ctx.waitUntil(this.#keepAlarm())
  }

  /** An election note of another member. */
  note(bytes: Uint8Array): void {
    this.#requireStarted()
    this.#receive({ type: 'note', note: readNotification(bytes) })
  }

  /** A learner opens a link; the answer is this member's end of it. */
  join(
    peer: number,
    theirs: LinkEnd & Disposable & { dup?: () => LinkEnd & Disposable },
  ): LinkTarget {
    this.#requireStarted()
    // The stub of an argument is disposed when the call returns; the link lives on.
    return this.#links.accept(peer as Sid, theirs.dup === undefined ? theirs : theirs.dup())
  }

  /** A session actor speaks; the answer is what this member has to say to it. */
  exchange(actor: string, edge: number, message: Uint8Array): Promise<Uint8Array> {
    if (!this.#replica.isServing && !this.#replica.isReadOnly)
      return Promise.reject(new Error(`member ${this.#sid} is not serving`))
    return this.#edges.answer(actor, edge, message)
  }

  /** The same for an actor that is awake anyway: a call of what it holds costs half of a call of the actor's. */
  hold(actor: string, edge: number): EdgeTarget {
    return new EdgeTarget((message) => this.exchange(actor, edge, message))
  }

  status(): MemberStatus {
    return {
      ...statusOf(this.#replica, this.#store, this.#settings),
      sid: this.#sid,
      instance: instanceOf(this.env),
      startedMs: this.#startedMs,
      storage: {
        bytes: this.#store.size,
        limitBytes: this.#storageLimitBytes,
        isDiskFull: this.#isDiskFull,
        isFull: this.#replica.isStorageFull,
      },
    }
  }

  /** Takes the member out of service, as if its machine were off, until `start`. */
  stop(): void {
    this.#store.isStopped = true
    this.ctx.waitUntil(this.#store.durable().then(() => this.abort()))
  }

  /** Puts a stopped member back into service. */
  start(): void {
    if (this.#isInService || this.#store.refusal !== undefined) return
    this.#store.isStopped = false
    this.#perform(() => this.#replica.start(Date.now()))
  }

  /** Whoever started us watches the disk that all members share. */
  diskIs(isFull: boolean): void {
    this.#isDiskFull = isFull
    this.#lookAtMs = 0
    this.#lookAtStorage()
  }

  /** The clients this member serves. */
  clients(): ClientLine[] {
    return this.#replica.desk.clients()
  }

  /** Ends this actor as a crash would: memory is lost, what is on disk stays. */
  abort(): void {
    this.ctx.abort(`member ${this.#sid} was told to restart`)
  }

  /**
   * Begins anew, empty, and votes: what only this member had is given up, and with it the promises it made. For an operator
   * to decide, and only where the member's disk is of no use by itself.
   */
  rebuild(): void {
    if (this.#store.refusal === undefined && !this.#store.isRecovering) {
      throw new Error(`member ${this.#sid} needs no rebuilding`)
    }
    log('member.rebuilt', { sid: this.#sid })
    this.#end(() => this.#store.beginAnew())
  }

  /** The watchdog: an evicted member comes back without anybody asking. */
  override async alarm(): Promise<void> {
    if (instanceOf(this.env) === undefined)
      await this.ctx.storage.setAlarm(Date.now() + limits.watchdogMs)
  }

  /** Does a cluster copy what this member writes? */
  get #isCopied(): boolean {
    return instanceOf(this.env) !== undefined
  }

  get #storageLimitBytes(): number {
    return this.#settings.storageLimitMb * 1_000_000
  }

  /** Is there room for what adds? Looked at once a second, for it is a query. */
  #lookAtStorage(): void {
    const nowMs = Date.now()
    if (nowMs < this.#lookAtMs) return
    this.#lookAtMs = nowMs + limits.storageLookMs
    const wasFull = this.#replica.isStorageFull
    const { size } = this.#store
    const most = this.#storageLimitBytes * (wasFull ? limits.storageFreeAgain : 1)
    const isFull = this.#isDiskFull || size > most
    if (isFull === wasFull) return
    this.#replica.isStorageFull = isFull
    const fields = { sid: this.#sid, bytes: size, limitBytes: this.#storageLimitBytes }
    log(isFull ? 'storage.full' : 'storage.free', { ...fields, isDiskFull: this.#isDiskFull })
  }

  get #isInService(): boolean {
    return !this.#store.isStopped && this.#store.refusal === undefined && !this.#isEnding
  }

  #requireStarted(): void {
    if (!this.#isInService) throw new Error(`member ${this.#sid} is out of service`)
  }

  /** What an operator must see, at every start. */
  #tellTrouble(): void {
    const { refusal, damage, isRecovering } = this.#store
    if (refusal !== undefined) log('member.refuses', { sid: this.#sid, why: refusal })
    if (!isRecovering) return
    const { voters } = this.#replica.zab.membership.active
    const isAlone = voters.every((sid) => sid === this.#sid)
    const whatNow = isAlone
      ? 'no other member has a vote: put a copy of its disk in place, or rebuild it, empty'
      : 'does not vote until a leader gave it everything anew'
    log('member.recovering', { sid: this.#sid, why: damage?.why, whatNow })
  }

  /** Settings tell only an empty ensemble who its members are: nobody shall wonder why a change of them changes nothing. */
  #tellConfiguration(): void {
    const { active, isProvisional } = this.#replica.zab.membership
    const first = firstConfigurationOf(this.#settings)
    if (isProvisional || active.hasSameMembersAs(first)) return
    log('member.settings_differ', {
      sid: this.#sid,
      inForce: showMembers(active),
      version: showZxid(active.version),
      settings: `${showMembers(first)}: not used, the members are changed by reconfig`,
    })
  }

  /** Our disk is not what we wrote: the next life has nothing and asks a leader for everything. */
  #giveUp(damage: Damage): void {
    log('member.damaged', { sid: this.#sid, why: damage.message })
    this.#end(() => {
      this.#store.noteDamage(damage.message, Date.now())
      this.#store.beginRecovery()
    })
  }

  /** Writes the last of this life and ends it. */
  #end(write: () => void): void {
    this.#isEnding = true
    this.#writer.end()
    write()
    this.ctx.waitUntil(this.#store.durable().then(() => this.abort()))
  }

  #restore(): Replica {
    const settings = this.#settings
    const config = {
      sid: this.#sid,
      first: firstConfigurationOf(settings),
      tickTimeMs: settings.tickTimeMs,
      initLimitTicks: settings.initLimitTicks,
      syncLimitTicks: settings.syncLimitTicks,
      finalizeWaitMs: settings.finalizeWaitMs,
      proposeToQuorum: settings.proposeToQuorum,
      historyTxnsMax: settings.commitLogCountTxns,
      checkpoints: {
        ...limits,
        snapCountTxns: settings.snapCountTxns,
        rowsAtOnceMax: this.#isCopied ? limits.rowsCopiedMax : limits.rowsAtOnceMax,
      },
      rules: settings,
      authentication: this.#authentication(),
      containerCheckIntervalMs: settings.containerCheckIntervalMs,
      containerMaxPerMinute: settings.containerMaxPerMinute,
      cacheBytes: limits.cacheBytesMax,
    }
    const random = new Random(crypto.getRandomValues(new Uint32Array(1))[0] ?? 0)
    if (this.#store.refusal !== undefined) return new Replica(config, noLog, noRows, random)
    const open = (): Replica =>
      new Replica(config, this.#store.restore(checkpointZxidOf(this.#store)), this.#store, random)
    try {
      return open()
    } catch (fault) {
      if (!isDamage(fault)) throw fault
      log('member.damaged', { sid: this.#sid, why: fault.message })
      this.#store.noteDamage(fault.message, Date.now())
      this.#store.beginRecovery()
      return open()
    }
  }

  #authentication(): Authentication {
    const { SUPER_DIGEST } = this.env
    return {
      superDigest: SUPER_DIGEST === '' ? undefined : SUPER_DIGEST,
      requiredSchemes: this.#settings.enforceAuthSchemes,
      sha1: (bytes) => createHash('sha1').update(bytes).digest('base64'),
    }
  }

  async #keepAlarm(): Promise<void> {
    // In a cluster another instance would take over the alarm of one that died, and the member with it.
    if (instanceOf(this.env) !== undefined) return this.ctx.storage.deleteAlarm()
    const alarm = await this.ctx.storage.getAlarm()
    if (alarm === null) await this.ctx.storage.setAlarm(Date.now() + limits.watchdogMs)
  }

  #receive(input: PeerInput): void {
    this.#perform(() => this.#replica.receive(Date.now(), input))
  }

  /** One step and its turn. */
  #perform(step: () => ReplicaTurn): void {
    if (!this.#isEnding) this.#orEnd(() => this.#performTurn(step()))
  }

  /** A broken law, or a write that fails, ends this life: the next begins from what is on disk. */
  #orEnd(act: () => void): void {
    try {
      act()
    } catch (fault) {
      if (fault instanceof Damage) {
        this.#giveUp(fault)
        throw fault
      }
      if (fault instanceof Error && fault.name === 'MalformedFrame') throw fault
      log('member.broken', { sid: this.#sid, why: String(fault), stack: (fault as Error).stack })
      this.ctx.abort(`member ${this.#sid}: ${String(fault)}`)
      throw fault
    }
  }

  #performTurn(turn: ReplicaTurn): void {
    this.#writer.beginTurn()
    this.#carryOut(turn)
  }

  #carryOut(turn: ReplicaTurn): void {
    for (const line of turn.log) log('zab', { sid: this.#sid, line })
    for (const { zxid, ...mismatch } of turn.mismatches) {
      log('digest.mismatch', { sid: this.#sid, zxid: showZxid(zxid), ...mismatch })
    }
    for (const warning of turn.warnings) log('quota.exceeded', { sid: this.#sid, ...warning })
    for (const { link, packet } of turn.send) this.#links.send(link, packet)
    for (const { to, note } of turn.notes) this.#sendNote(to, note)
    for (const edge of turn.edges) {
      for (const piece of this.#replica.desk.takeOutput(edge)) this.#edges.send(edge, piece)
    }
    const durable = this.#write(turn)
    for (const link of turn.disconnect) this.#links.disconnect(link)
    for (const edge of turn.lostEdges) this.#edges.close(edge, `member ${this.#sid} is not serving`)
    if (turn.connect !== undefined) this.#connect(turn.connect)
    if (turn.serving === true) this.#tellActors()
    if (durable !== undefined) {
      // What it says leaves together with what follows from its being durable.
      return this.#carryOut(
        this.#replica.receive(Date.now(), { type: 'persisted', number: durable }),
      )
    }
    this.#links.flush()
    this.#edges.flush()
    const hasMore = this.#writeDue(turn.due)
    this.#isOverdue = turn.due.type === 'earlyRows' && turn.due.isOverdue
    if (this.#isOverdue) this.#catchUp()
    this.#lookAtStorage()
    this.#wakeAt(hasMore ? Date.now() : turn.wakeAtMs)
  }

  /** The number of the last persist that is as good as durable already, if one is. */
  #write({ persist, canPersistLate }: ReplicaTurn): number | undefined {
    if (persist.length === 0) return undefined
    if (canPersistLate) {
      this.#writer.addLate(persist)
      return undefined
    }
    // What the turn says leaves first: followers write while we write.
    if (!this.#writer.isGated) this.#links.flush()
    return this.#writer.add(persist)
  }

  #sendNote(to: Sid, note: Notification): void {
    const { ensemble } = this.#settings
    memberStub(this.env, ensemble, to)
      .note(writeNotification(note))
      .catch(() => {
        // A lost note is the election's business: it sends them again.
      })
  }

  #connect(leader: Sid): void {
    const { ensemble } = this.#settings
    const join = (ours: LinkTarget): Promise<LinkEnd & Disposable> =>
      memberStub(this.env, ensemble, leader).join(this.#sid, ours as never) as never
    this.ctx.waitUntil(this.#links.connect(leader, join))
  }

  /** Actors at rest learn that whatever they had here is to be had anew: a member forgets its edges and their watches. */
  #tellActors(): void {
    const { ensemble } = this.#settings
    const names = new Set<string>()
    for (const session of this.#replica.tree.sessions.keys()) {
      names.add(actorOfSession(ensemble, session))
    }
    for (const name of names) {
      sessionActorStub(this.env, name)
        .memberServes(this.#sid)
        .catch(() => {
          // It finds out by itself at its next alarm.
        })
    }
  }

  /** One transaction's worth: SQLite has room for no more, and whoever asks meanwhile waits. True: there is more to do. */
  #writeDue(due: Due): boolean {
    if (!this.#writer.hasRoomForRows) {
      return due.type !== 'nothing' || this.#dropsLogThrough !== undefined || this.#store.isUntidy
    }
    if (due.type === 'checkpoint') return this.#checkpoint()
    let hasMore = this.#dropsLogThrough !== undefined
    if (due.type === 'earlyRows') this.#store.writeEarly(this.#replica.earlyRows(due.count))
    else if (this.#dropsLogThrough !== undefined) {
      hasMore = this.#store.dropLog(this.#dropsLogThrough)
      if (!hasMore) this.#dropsLogThrough = undefined
    } else {
      hasMore = this.#store.tidy()
      if (!hasMore) return false
    }
    this.#writer.wroteRows()
    return hasMore
  }

  /** Whoever is changed faster than its rows are written is heard no more until they are; in pieces all the same. */
  #catchUp(): void {
    if (this.#isCatchingUp) return
    this.#isCatchingUp = true
    const turns = async (): Promise<void> => {
      const untilMs = Date.now() + limits.overdueMsMax
      while (this.#isOverdue && Date.now() < untilMs) {
        await this.#writer.settled()
        this.#receive({ type: 'wake' })
      }
      this.#isCatchingUp = false
    }
    this.ctx.waitUntil(this.ctx.blockConcurrencyWhile(turns))
  }

  /** True: there is more to do. */
  #checkpoint(): boolean {
    // A tree is never ahead of its log.
    this.#writer.flush()
    if (!this.#writer.isDone || !this.#writer.hasRoomForRows) return true
    this.#store.writeCheckpoint(this.#replica.checkpoint().rows)
    this.#dropsLogThrough = this.#replica.checkpointWritten()
    this.#writer.wroteRows()
    return true
  }

  #wakeAt(atMs: number): void {
    if (atMs === Infinity || (this.#timer !== undefined && this.#timerAtMs <= atMs)) return
    if (this.#timer !== undefined) clearTimeout(this.#timer)
    this.#timerAtMs = atMs
    const delayMs = Math.max(0, atMs - Date.now())
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#receive({ type: 'wake' })
    }, delayMs)
  }
}

/** What is read at a start and breaks a law is damage too: it was lawful when it was written. */
const isDamage = (fault: unknown): fault is Error =>
  fault instanceof Damage || fault instanceof BrokenInvariant || fault instanceof MalformedFrame

/** Of a member whose disk must not be believed: it knows nothing and is not started. */
const noLog: RestoredLog = {
  acceptedEpoch: asEpoch(0),
  currentEpoch: asEpoch(0),
  base: asZxid(0),
  batches: [],
  committed: asZxid(0),
  mustRecover: true,
  configuration: undefined,
}
const noRows: RowTable = { get: () => undefined, names: () => [], page: () => [] }
