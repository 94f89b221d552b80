/**
 * A follower or observer of one leader, from the first try to reach it until it is lost.
 */
import { opened } from '../shared/seal.ts'
import { type Epoch, epochOf, type Sid, type Zxid } from '../shared/units.ts'
import type { LinkId, PeerInput, Turn } from '../turn.ts'
import type { ZabConfig } from './config.ts'
import { judgeEpoch } from './discovery.ts'
import type { Ground } from './ground.ts'
import type { Journal } from './journal.ts'
import type { LogBatch } from './log-batch.ts'
import { isFromLeader, type Packet, type PacketOf } from './messages.ts'
import type { Part } from './part.ts'
import { demand } from './peer-fault.ts'
import { showPoint } from './show.ts'
import { CatchupDraft, demandNext } from './synchronization.ts'
import { discovered, established, over, type Verdict } from './verdict.ts'

/** The leader may not know yet that it leads: how soon to try again, and for how long beyond its finalize wait. */
const retryMinMs = 10
const retryMaxMs = 100
const reachLimitMs = 1000

const otherRole = 'its role is another now'

type Stage =
  | { readonly type: 'connecting' }
  /** We said FOLLOWERINFO or OBSERVERINFO. */
  | { readonly type: 'introduced' }
  /** We promised the epoch. */
  | { readonly type: 'promised'; readonly epoch: Epoch }
  /** We are given a history; undefined while we wait for a snapshot that we asked for. */
  | { readonly type: 'gathering'; readonly epoch: Epoch; readonly draft: CatchupDraft | undefined }
  /** We took it over, and wait to hear that a quorum did. */
  | { readonly type: 'entered'; readonly epoch: Epoch }
  | { readonly type: 'serving'; readonly epoch: Epoch }

type StageType = Stage['type']

export class Learner implements Part {
  readonly kind = 'learner'
  readonly leader: Sid
  readonly #config: ZabConfig
  readonly #journal: Journal
  /**
   * Takes proposals and acks them, whether its ack counts or not. An observer hears of what is committed, and so does who
   * must recover.
   */
  readonly follows: boolean
  readonly #reachUntilMs: number
  #stage: Stage = { type: 'connecting' }
  #link: LinkId | undefined
  /** Through here we were told that it is committed; we have it durable; it is committed once we have. */
  #told = 0 as Zxid
  #acked = 0 as Zxid
  #pledged = 0 as Zxid
  #heardMs: number
  #retryMs = retryMinMs
  #retryAtMs = Infinity
  /** A reconfiguration wants us elsewhere: we go with the next step, when this one's replies have left. */
  #leaving: { readonly verdict: Verdict; readonly atMs: number } | undefined

  constructor({ config, journal }: Ground, leader: Sid, nowMs: number) {
    this.#config = config
    this.#journal = journal
    this.follows = this.#shouldFollow
    this.leader = leader
    this.#heardMs = nowMs
    const initLimitMs = config.initLimitTicks * config.tickTimeMs
    this.#reachUntilMs = nowMs + Math.min(initLimitMs, config.finalizeWaitMs + reachLimitMs)
  }

  get link(): LinkId | undefined {
    return this.#link
  }

  get epoch(): Epoch | undefined {
    return 'epoch' in this.#stage ? this.#stage.epoch : undefined
  }

  get links(): LinkId[] {
    return this.#link === undefined ? [] : [this.#link]
  }

  get isServing(): boolean {
    return this.#stage.type === 'serving'
  }

  get wakeAtMs(): number {
    if (this.#leaving) return this.#leaving.atMs
    return this.#stage.type === 'connecting'
      ? Math.min(this.#retryAtMs, this.#reachUntilMs)
      : this.#heardMs + this.#silenceLimitMs
  }

  start(turn: Turn): void {
    turn.connect = this.leader
  }

  linked(
    nowMs: number,
    { link, peer, incoming }: Extract<PeerInput, { type: 'linked' }>,
    turn: Turn,
  ): boolean {
    if (incoming || peer !== this.leader || this.#stage.type !== 'connecting') return false
    this.#link = link
    this.#heardMs = nowMs
    this.#stage = { type: 'introduced' }
    const { acceptedEpoch, membership } = this.#journal
    const { version } = membership.active
    const type = this.follows ? 'followerInfo' : 'observerInfo'
    this.#send({ type, acceptedEpoch, version }, turn)
    return true
  }

  /** The link is gone (`link` 0: could not be made). A leader that does not lead yet is tried again. */
  unlinked(nowMs: number, link: LinkId, peer: Sid): Verdict | undefined {
    const failed = link === 0 && peer === this.leader && this.#stage.type === 'connecting'
    if (!failed && link !== this.#link) return undefined
    if (this.#leaving) return this.#leaving.verdict
    this.#link = undefined
    if (!failed && this.#stage.type !== 'introduced') return over(`lost its leader ${this.leader}`)
    this.#stage = { type: 'connecting' }
    this.#retryAtMs = nowMs + this.#retryMs
    this.#retryMs = Math.min(this.#retryMs * 2, retryMaxMs)
    return undefined
  }

  needs(sid: Sid): boolean {
    return sid === this.leader
  }

  fault(_link: LinkId, fault: string): Verdict | undefined {
    return over(`${this.leader} is at fault: ${fault}`)
  }

  wake(nowMs: number, turn: Turn): Verdict | undefined {
    if (this.#leaving) return this.#leaving.verdict
    if (this.#stage.type !== 'connecting') {
      const silent = nowMs >= this.#heardMs + this.#silenceLimitMs
      return silent ? over(`has not heard its leader ${this.leader} for too long`) : undefined
    }
    if (nowMs >= this.#reachUntilMs) return over(`cannot reach ${this.leader}`)
    if (nowMs >= this.#retryAtMs) {
      this.#retryAtMs = Infinity
      turn.connect = this.leader
    }
    return undefined
  }

  receive(nowMs: number, link: LinkId, packet: Packet, turn: Turn): Verdict | undefined {
    if (link !== this.#link) return undefined
    this.#heardMs = nowMs
    demand(isFromLeader(packet), `a leader does not say ${packet.type}`)
    switch (packet.type) {
      case 'leaderInfo':
        return this.#receiveLeaderInfo(packet.epoch, turn)
      case 'diff':
      case 'trunc':
      case 'snap':
        this.#begin(packet, turn)
        return undefined
      case 'snapChunk':
        this.#receiveChunk(packet, turn)
        return undefined
      case 'newLeader':
        this.#receiveNewLeader(packet, turn)
        return undefined
      case 'upToDate':
        return this.#receiveUpToDate(packet, turn)
      case 'proposal':
        this.#receiveProposal(packet.batch, turn)
        return undefined
      case 'commit':
        this.#at('serving')
        demand(this.follows, 'a commit to an observer')
        this.#commit(packet.zxid, turn)
        return undefined
      case 'pledged':
        this.#receivePledge(packet.zxid, turn)
        return undefined
      case 'commitAndActivate':
        this.#at('serving')
        this.#commit(packet.zxid, turn)
        this.#reconsider(nowMs, packet.leader)
        return undefined
      case 'inform':
        this.#receiveInform(packet.batch, turn)
        return undefined
      case 'informAndActivate':
        this.#receiveInform(packet.batch, turn)
        this.#reconsider(nowMs, packet.leader)
        return undefined
      case 'ping':
        this.#send({ type: 'pong' }, turn)
        return undefined
      case 'revalidated':
      case 'synced':
      case 'digest':
      case 'disowned':
        this.#at('serving')
        turn.received.push({ link: this.#link ?? 0, peer: this.leader, packet })
        return undefined
    }
  }

  #receiveLeaderInfo(epoch: Epoch, turn: Turn): Verdict | undefined {
    this.#at('introduced')
    const { acceptedEpoch, currentEpoch, history } = this.#journal
    const judgement = judgeEpoch(epoch, acceptedEpoch)
    if (judgement === 'refuse') {
      return over(`refuses epoch ${epoch} of ${this.leader}: it has promised ${acceptedEpoch}`)
    }
    if (judgement === 'promise') this.#journal.accept(epoch, turn)
    // What was promised before, perhaps to somebody else, does not count for this leader.
    const counted = judgement === 'promise' ? currentEpoch : (-1 as Epoch)
    const promise = { type: 'ackEpoch', currentEpoch: counted, lastZxid: history.last } as const
    this.#sendWhenDurable(promise, turn)
    this.#stage = { type: 'promised', epoch }
    return discovered
  }

  #begin(packet: PacketOf<'diff' | 'trunc' | 'snap'>, turn: Turn): void {
    const { history, committed } = this.#journal
    const { epoch } =
      this.#stage.type === 'gathering' ? this.#awaitingSnap(packet) : this.#at('promised')
    if (packet.type === 'snap') {
      this.#journal.stageBegin(packet.zxid, turn)
      this.#stage = {
        type: 'gathering',
        epoch,
        draft: CatchupDraft.snap(history, epoch, packet.zxid),
      }
    } else if (packet.type === 'diff') {
      this.#stage = { type: 'gathering', epoch, draft: CatchupDraft.diff(history, epoch) }
    } else if (packet.to >= committed && history.contains(packet.to)) {
      this.#stage = {
        type: 'gathering',
        epoch,
        draft: CatchupDraft.trunc(history, epoch, packet.to),
      }
    } else {
      turn.log.push(`cannot TRUNC to ${showPoint(packet.to)}, asks for a snapshot`)
      this.#send({ type: 'needSnap' }, turn)
      this.#stage = { type: 'gathering', epoch, draft: undefined }
    }
  }

  #awaitingSnap({ type }: Packet): Extract<Stage, { type: 'gathering' }> {
    const stage = this.#at('gathering')
    demand(stage.draft === undefined && type === 'snap', `a second beginning: ${type}`)
    return stage
  }

  #receiveChunk({ bytes, last }: PacketOf<'snapChunk'>, turn: Turn): void {
    const { draft } = this.#at('gathering')
    demand(draft !== undefined, 'a chunk of no snapshot')
    const rows = opened(bytes)
    demand(rows !== undefined, 'a chunk with the wrong checksum')
    draft.addChunk(last)
    this.#journal.stageChunk(rows, turn)
    this.#sendWhenDurable({ type: 'snapAck' }, turn)
  }

  #receiveNewLeader({ epoch, configuration }: PacketOf<'newLeader'>, turn: Turn): void {
    const stage = this.#at('gathering')
    demand(epoch === stage.epoch, `NEWLEADER of epoch ${epoch}, promised was ${stage.epoch}`)
    if (!stage.draft) return
    this.#journal.enter(epoch, stage.draft.finish(), configuration, turn)
    const lastZxid = this.#journal.history.last
    this.#sendWhenDurable({ type: 'ackNewLeader', epoch, lastZxid }, turn)
    this.#stage = { type: 'entered', epoch }
  }

  #receiveUpToDate({ committed }: PacketOf<'upToDate'>, turn: Turn): Verdict | undefined {
    const { epoch } = this.#at('entered')
    this.#commit(committed, turn)
    // By the configuration that came we may be another. Or we have recovered: everything is on our disk, and was given by a
    // leader that others made one, so our word counts again.
    if (this.#shouldFollow !== this.follows) return over(otherRole, this.leader)
    this.#stage = { type: 'serving', epoch }
    return established
  }

  /** The configuration may be another one: is our place still here? */
  #reconsider(nowMs: number, leader: Sid): void {
    const { active } = this.#journal.membership
    demand(leader === this.leader || active.electors.includes(leader), `${leader} cannot lead`)
    if (leader === this.leader && this.#shouldFollow === this.follows) return
    const reason = leader === this.leader ? otherRole : `${leader} leads now`
    this.#leaving = { verdict: over(reason, leader), atMs: nowMs }
  }

  get #shouldFollow(): boolean {
    const { membership, mustRecover } = this.#journal
    return !mustRecover && !membership.observes(this.#config.sid)
  }

  #receiveProposal(batch: LogBatch, turn: Turn): void {
    const stage = this.#stage
    if (stage.type === 'gathering') return stage.draft?.add(batch)
    demand(this.follows, 'a proposal to an observer')
    this.#log(batch, turn)
    this.#sendWhenDurable({ type: 'ack', zxid: batch.last }, turn)
  }

  #receiveInform(batch: LogBatch, turn: Turn): void {
    this.#at('serving')
    demand(!this.follows, 'an inform to a follower')
    this.#log(batch, turn)
    this.#commit(batch.last, turn)
  }

  #log(batch: LogBatch, turn: Turn): void {
    const stage = this.#stage
    demand(stage.type === 'entered' || stage.type === 'serving', `a proposal while ${stage.type}`)
    const { history } = this.#journal
    demandNext(history, history.last, batch)
    demand(
      epochOf(batch.first) === stage.epoch,
      `${showPoint(batch.first)} in epoch ${stage.epoch}`,
    )
    this.#journal.append(batch, turn)
  }

  #receivePledge(zxid: Zxid, turn: Turn): void {
    this.#at('serving')
    demand(this.follows, 'a pledge to an observer')
    const { last } = this.#journal.history
    demand(zxid >= this.#pledged, `pledges ${showPoint(zxid)} after ${showPoint(this.#pledged)}`)
    demand(zxid <= last, `pledges ${showPoint(zxid)}, we have ${showPoint(last)}`)
    this.#pledged = zxid
    this.#commitPledged(turn)
  }

  /** Our log is durable through this zxid, and our leader is told so. */
  acked(zxid: Zxid, turn: Turn): void {
    this.#acked = zxid
    this.#commitPledged(turn)
  }

  #commitPledged(turn: Turn): void {
    const zxid = this.#acked < this.#pledged ? this.#acked : this.#pledged
    if (zxid > this.#journal.committed) this.#journal.commit(zxid, turn)
  }

  #commit(zxid: Zxid, turn: Turn): void {
    const { committed, history } = this.#journal
    demand(zxid >= this.#told, `commits ${showPoint(zxid)} after ${showPoint(this.#told)}`)
    demand(zxid <= history.last, `commits ${showPoint(zxid)}, we have ${showPoint(history.last)}`)
    this.#told = zxid
    // By a pledge we may know of more already.
    if (zxid >= committed) this.#journal.commit(zxid, turn)
  }

  #at<T extends StageType>(type: T): Extract<Stage, { type: T }> {
    demand(this.#stage.type === type, `out of turn: we are ${this.#stage.type}, not ${type}`)
    return this.#stage as Extract<Stage, { type: T }>
  }

  #send(packet: Packet, turn: Turn): void {
    if (this.#link !== undefined) turn.send.push({ link: this.#link, packet })
  }

  #sendWhenDurable(packet: Packet, turn: Turn): void {
    if (this.#link !== undefined) this.#journal.whenDurable(this.#link, packet, turn)
  }

  get #silenceLimitMs(): number {
    const { tickTimeMs, initLimitTicks, syncLimitTicks } = this.#config
    return tickTimeMs * (this.isServing ? syncLimitTicks : initLimitTicks)
  }
}
