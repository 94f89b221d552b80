/** One ensemble member: wakes, steps its replica, performs the turn. All decisions are the replica's. */
import { createHash } from 'node:crypto'
import { DurableObject } from 'cloudflare:workers'
import type { Authentication } from '../core/session/authentication.ts'
import { limits } from '../core/shared/limits.ts'
import { Random } from '../core/shared/random.ts'
import type { Settings } from '../core/shared/settings.ts'
import { type Sid, showZxid } from '../core/shared/units.ts'
import type { ClientLine } from '../core/session/desk.ts'
import type { DeskCounters } from '../core/session/replies.ts'
import { Replica, type ReplicaTurn } from '../core/replica.ts'
import { checkpointZxidOf } from '../core/tree/tree.ts'
import type { PeerInput } from '../core/turn.ts'
import type { Notification } from '../core/zab/messages.ts'
import { readNotification, writeNotification } from '../core/zab/packet-codec.ts'
import {
  actorOfSession,
  type Env,
  memberStub,
  observersOf,
  sessionActorStub,
  settingsOf,
  sidOfMember,
  votersOf,
} from './env.ts'
import { log } from './log.ts'
import { MemberEdges } from './member-edges.ts'
import { type LinkEnd, MemberLinks, type LinkTarget } from './member-links.ts'
import { MemberStore } from './member-store.ts'

/** What a member tells about itself. */
export interface MemberStatus {
  readonly sid: number
  readonly role: 'leader' | 'follower' | 'observer' | 'standalone' | 'looking' | 'stopped'
  readonly state: string
  readonly epoch: number
  readonly zxid: string
  readonly isServing: boolean
  readonly leader: number | undefined
  readonly nodes: number
  readonly ephemerals: number
  readonly dataBytes: number
  readonly watches: number
  readonly connections: number
  readonly outstanding: number
  readonly received: number
  readonly sent: number
  readonly sessions: number
  readonly digest: string
  readonly latencyMs: { readonly min: number; readonly avg: number; readonly max: number }
  readonly startedMs: number
}

const roleNames = { looking: 'looking', following: 'follower', observing: 'observer' } as const

export class Member extends DurableObject<Env> {
  readonly #sid: Sid
  readonly #settings: Settings
  readonly #store: MemberStore
  readonly #replica: Replica
  readonly #links: MemberLinks
  readonly #edges: MemberEdges
  readonly #startedMs = Date.now()
  #persistsInFlight = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  #timerAtMs = Infinity

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    this.#sid = sidOfMember(ctx.id.name)
    this.#settings = settingsOf(env)
    this.#store = new MemberStore(ctx.storage)
    const { tickTimeMs, syncLimitTicks } = this.#settings
    const deadlineMs = tickTimeMs * syncLimitTicks
    this.#links = new MemberLinks(
      { receive: (input) => this.#receive(input), owes: () => this.#persistsInFlight > 0 },
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
    log('member.start', { sid: this.#sid, zxid: showZxid(this.#replica.tree.applied) })
    if (!this.#store.isStopped) this.#perform(() => this.#replica.start(Date.now()))
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
    if (!this.#replica.isServing)
      return Promise.reject(new Error(`member ${this.#sid} is not serving`))
    return this.#edges.answer(actor, edge, message)
  }

  status(): MemberStatus {
    const { zab, tree, desk } = this.#replica
    const isAlone = this.#settings.members + this.#settings.observers === 1
    const role = zab.role === 'leading' ? (isAlone ? 'standalone' : 'leader') : roleNames[zab.role]
    return {
      sid: this.#sid,
      role: this.#roleShown(role),
      state: zab.phase.type,
      epoch: zab.epoch,
      zxid: showZxid(tree.applied),
      isServing: this.#replica.isServing,
      leader: zab.leader,
      nodes: tree.nodeCount,
      ephemerals: tree.ephemeralCount,
      dataBytes: tree.dataBytes,
      watches: desk.watchCount,
      connections: desk.connectionCount,
      outstanding: desk.outstandingCount,
      received: desk.counters.requests,
      sent: desk.counters.replies + desk.counters.events,
      sessions: tree.sessions.size,
      digest: tree.digest(),
      latencyMs: latencyOf(desk.counters),
      startedMs: this.#startedMs,
    }
  }

  /** Takes the member out of service, as if its machine were off, until `start`. */
  stop(): void {
    this.#store.isStopped = true
    this.ctx.waitUntil(this.#store.durable().then(() => this.abort()))
  }

  /** Puts a stopped member back into service. */
  start(): void {
    if (!this.#store.isStopped) return
    this.#store.isStopped = false
    this.#perform(() => this.#replica.start(Date.now()))
  }

  /** The clients this member serves. */
  clients(): ClientLine[] {
    return this.#replica.desk.clients()
  }

  /** Ends this actor as a crash would: memory is lost, what is on disk stays. */
  abort(): void {
    this.ctx.abort(`member ${this.#sid} was told to restart`)
  }

  /** The watchdog: an evicted member comes back without anybody asking. */
  override async alarm(): Promise<void> {
    await this.ctx.storage.setAlarm(Date.now() + limits.watchdogMs)
  }

  #requireStarted(): void {
    if (this.#store.isStopped) throw new Error(`member ${this.#sid} is stopped`)
  }

  #roleShown(role: MemberStatus['role']): MemberStatus['role'] {
    if (this.#replica.isServing) return role
    return this.#store.isStopped ? 'stopped' : 'looking'
  }

  #restore(): Replica {
    const settings = this.#settings
    const config = {
      sid: this.#sid,
      voters: votersOf(settings),
      observers: observersOf(settings),
      tickTimeMs: settings.tickTimeMs,
      initLimitTicks: settings.initLimitTicks,
      syncLimitTicks: settings.syncLimitTicks,
      finalizeWaitMs: settings.finalizeWaitMs,
      historyTxnsMax: settings.commitLogCountTxns,
      snapCountTxns: settings.snapCountTxns,
      rules: settings,
      authentication: this.#authentication(),
      containerCheckIntervalMs: settings.containerCheckIntervalMs,
      containerMaxPerMinute: settings.containerMaxPerMinute,
      cacheBytes: limits.cacheBytesMax,
    }
    const restored = this.#store.restore(checkpointZxidOf(this.#store))
    const seed = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0
    return new Replica(config, restored, this.#store, new Random(seed))
  }

  #authentication(): Authentication {
    const { SUPER_DIGEST } = this.env
    return {
      superDigest: SUPER_DIGEST === '' ? undefined : SUPER_DIGEST,
      sha1: (bytes) => createHash('sha1').update(bytes).digest('base64'),
    }
  }

  async #keepAlarm(): Promise<void> {
    const alarm = await this.ctx.storage.getAlarm()
    if (alarm === null) await this.ctx.storage.setAlarm(Date.now() + limits.watchdogMs)
  }

  #receive(input: PeerInput): void {
    this.#perform(() => this.#replica.receive(Date.now(), input))
  }

  /** One step and its turn. A broken law ends this life: the next begins from what is on disk. */
  #perform(step: () => ReplicaTurn): void {
    try {
      this.#performTurn(step())
    } catch (fault) {
      if (fault instanceof Error && fault.name === 'MalformedFrame') throw fault
      log('member.broken', { sid: this.#sid, why: String(fault), stack: (fault as Error).stack })
      this.ctx.abort(`member ${this.#sid}: ${String(fault)}`)
      throw fault
    }
  }

  #performTurn(turn: ReplicaTurn): void {
    for (const line of turn.log) log('zab', { sid: this.#sid, line })
    for (const { link, packet } of turn.send) this.#links.send(link, packet)
    for (const { to, note } of turn.notes) this.#sendNote(to, note)
    for (const edge of turn.edges) {
      for (const piece of this.#replica.desk.takeOutput(edge)) this.#edges.send(edge, piece)
    }
    if (turn.persist.length > 0) this.#persist(turn)
    for (const link of turn.disconnect) this.#links.disconnect(link)
    for (const edge of turn.lostEdges) this.#edges.close(edge, `member ${this.#sid} is not serving`)
    this.#links.flush()
    this.#edges.flush()
    if (turn.connect !== undefined) this.#connect(turn.connect)
    if (turn.serving === true) this.#tellActors()
    if (turn.checkpointDue) this.#checkpoint()
    this.#wakeAt(turn.wakeAtMs)
  }

  #persist(turn: ReplicaTurn): void {
    // What the turn says leaves first: followers write while we write.
    this.#links.flush()
    this.#store.write(turn.persist)
    const number = turn.persist.at(-1)?.number ?? 0
    this.#persistsInFlight += 1
    this.ctx.waitUntil(
      this.#store.durable().then(() => {
        this.#persistsInFlight -= 1
        this.#receive({ type: 'persisted', number })
      }),
    )
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

  #checkpoint(): void {
    this.#store.writeCheckpoint(this.#replica.checkpoint().rows)
    this.#store.dropLog(this.#replica.checkpointWritten())
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

function latencyOf(counters: DeskCounters): MemberStatus['latencyMs'] {
  const { replies, latencySumMs, latencyMinMs, latencyMaxMs } = counters
  if (replies === 0) return { min: 0, avg: 0, max: 0 }
  return { min: latencyMinMs, avg: latencySumMs / replies, max: latencyMaxMs }
}
