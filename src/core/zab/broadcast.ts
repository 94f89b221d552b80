/**
 * Phase 3, the leader's side: proposes, counts who has what, commits what a quorum has, and tells the learners.
 */
import { invariant } from '../shared/assert.ts'
import { limits } from '../shared/limits.ts'
import { asZxid, counterOf, type Epoch, type Sid, type Zxid, zxidOf } from '../shared/units.ts'
import type { Turn } from '../turn.ts'
import type { ZabConfig } from './config.ts'
import type { Configuration } from './configuration.ts'
import type { Ground } from './ground.ts'
import type { Journal } from './journal.ts'
import type { LearnerLink } from './learner-link.ts'
import type { Learners } from './learners.ts'
import type { LogBatch } from './log-batch.ts'
import type { Membership } from './membership.ts'
import { demand } from './peer-fault.ts'
import { highestAgreed } from './quorum.ts'
import { showPoint } from './show.ts'

interface Proposed {
  readonly last: Zxid
  readonly atMs: number
}

export class Broadcast {
  readonly #config: ZabConfig
  readonly #membership: Membership
  readonly #journal: Journal
  readonly #learners: Learners
  #lastProposed: Zxid
  /** What we have durable ourselves. */
  #ownAcked: Zxid
  /** Proposals that somebody may still owe an ack for, oldest first. */
  readonly #proposed: Proposed[] = []

  /** Who leads once a reconfiguration took the lead from us. */
  #successor: Sid | undefined

  /** A quorum has our history: all of it is committed. */
  constructor({ config, membership, journal }: Ground, epoch: Epoch, learners: Learners) {
    this.#config = config
    this.#membership = membership
    this.#journal = journal
    this.#learners = learners
    this.#lastProposed = zxidOf(epoch, config.counterStart ?? 0)
    this.#ownAcked = journal.history.last
  }

  get lastProposed(): Zxid {
    return this.#lastProposed
  }

  get successor(): Sid | undefined {
    return this.#successor
  }

  propose(nowMs: number, batch: LogBatch, turn: Turn): void {
    invariant(batch.first === this.#lastProposed + 1, 'a proposal follows the last one')
    this.#lastProposed = batch.last
    const needed = this.#neededFor(batch)
    for (const learner of this.#learners) {
      if (!learner.follows || !learner.isForwarded) continue
      if (learner.is('synced') && !needed.has(learner)) {
        learner.withheld.push({ batch, atMs: nowMs })
        continue
      }
      learner.release(batch.last, turn)
      learner.send({ type: 'proposal', batch }, turn)
    }
    this.#proposed.push({ last: batch.last, atMs: nowMs })
    this.#journal.append(batch, turn)
    this.#journal.whenOwnDurable({ type: 'ack', zxid: batch.last })
  }

  /** When proposals go to those too whose acks were not needed: somebody who was needed is late. */
  get releaseAtMs(): number {
    let sinceMs = Infinity
    for (const { withheld } of this.#learners) {
      const [oldest] = withheld
      if (oldest !== undefined) sinceMs = Math.min(sinceMs, oldest.atMs)
    }
    return sinceMs + limits.withheldMs
  }

  releaseLate(nowMs: number, turn: Turn): void {
    if (nowMs < this.releaseAtMs) return
    for (const learner of this.#learners) {
      if (learner.withheld.length > 0) learner.release(this.#lastProposed, turn)
      else if (learner.acked < this.#lastProposed) learner.timesLate += 1
    }
  }

  ackOwn(zxid: Zxid): void {
    this.#ownAcked = zxid
  }

  ack(learner: LearnerLink, zxid: Zxid): void {
    learner.at('synced')
    demand(learner.follows, 'an observer does not ack')
    demand(zxid >= learner.acked, `ack of ${showPoint(zxid)} after ${showPoint(learner.acked)}`)
    demand(zxid <= this.#lastProposed, `ack of ${showPoint(zxid)}, which was not proposed`)
    learner.acked = zxid
    // It has committed that much by itself.
    learner.told = asZxid(Math.max(learner.told, Math.min(zxid, learner.pledged)))
  }

  /** A learner that took over our history begins to serve. */
  welcome(learner: LearnerLink, turn: Turn): void {
    if (learner.follows) learner.told = this.#journal.committed
    learner.send({ type: 'upToDate', committed: learner.told }, turn)
  }

  /** The end of a step: commits what a quorum has and tells it, once a turn to each learner. */
  conclude(turn: Turn): void {
    // What follows its end is committed by who comes after us.
    if (this.#successor !== undefined) return
    const before = this.#membership.active
    const agreed = this.#agreed()
    if (agreed !== undefined && agreed > this.#journal.committed) {
      this.#journal.commit(agreed, turn)
    }
    if (this.#membership.active === before) {
      for (const learner of this.#learners) {
        this.#tell(learner, turn)
        this.#pledge(learner, turn)
      }
      return
    }
    this.#activate(turn)
    this.conclude(turn)
  }

  /** The history that became committed with our reign may have taken it from us already. */
  abdicateIfRemoved(turn: Turn): void {
    if (!this.#membership.isElector(this.#config.sid)) this.#activate(turn)
  }

  /** A reconfiguration is committed: everybody hears of it, and of who leads from now on. */
  #activate(turn: Turn): void {
    const { active } = this.#membership
    const own = this.#config.sid
    if (!active.electors.includes(own)) {
      this.#successor = this.#choose(active)
      invariant(this.#successor !== undefined, 'whose quorum committed it has somebody to lead')
      turn.log.push(`no longer leads: ${this.#successor} does`)
    }
    const leader = this.#successor ?? own
    for (const learner of this.#learners) {
      if (learner.is('synced')) this.#tellActivated(learner, leader, turn)
    }
  }

  /** Of those who may lead now the one that has most (Leader.getDesignatedLeader). */
  #choose({ electors }: Configuration): Sid | undefined {
    const followers = [...this.#learners]
      .filter((one) => one.follows && one.is('synced') && electors.includes(one.peer))
      .toSorted((a, b) => b.acked - a.acked || b.peer - a.peer)
    return followers[0]?.peer
  }

  #tellActivated(learner: LearnerLink, leader: Sid, turn: Turn): void {
    const { committed, history } = this.#journal
    const isBehind = !learner.follows && learner.told < history.base
    if (isBehind) return this.#learners.cut(learner, 'it is behind what we keep', turn)
    const batches = learner.follows ? [] : history.batches(learner.told, committed)
    const last = batches.pop()
    for (const batch of batches) learner.send({ type: 'inform', batch }, turn)
    if (last) learner.send({ type: 'informAndActivate', batch: last, leader }, turn)
    else learner.send({ type: 'commitAndActivate', zxid: committed, leader }, turn)
    learner.told = committed
  }

  /**
   * A zxid's counter must not run over into its epoch: a new leader begins at 0 again (ZOOKEEPER-1277). Better between
   * two proposals than within, but in any case before the end.
   */
  get isSpent(): boolean {
    const left = limits.counterMax - counterOf(this.#lastProposed)
    const quiet = this.#lastProposed === this.#journal.committed
    return left < limits.zxidsReserved / 2 || (left < limits.zxidsReserved && quiet)
  }

  /** Parts with followers that have not acknowledged something for too long. */
  cutSlow(nowMs: number, turn: Turn): void {
    const limitMs = this.#config.syncLimitTicks * this.#config.tickTimeMs
    for (const learner of this.#learners) {
      if (!learner.follows || !learner.is('synced')) continue
      const owed = this.#proposed.find(({ last }) => last > learner.acked)
      if (!owed || nowMs - owed.atMs <= limitMs) continue
      this.#learners.cut(learner, `it has not acked ${showPoint(owed.last)}`, turn)
    }
  }

  /** Forgets proposals that everybody has. */
  trim(): void {
    let acked = this.#lastProposed
    for (const { follows, stage, acked: has } of this.#learners) {
      if (!follows) continue
      if (stage.type === 'synced' && has < acked) acked = has
      if (stage.type === 'offered' && stage.through < acked) acked = stage.through
    }
    const kept = this.#proposed.findIndex(({ last }) => last > acked)
    this.#proposed.splice(0, kept < 0 ? this.#proposed.length : kept)
  }

  /**
   * Followers that must have a batch for it to be committed: as few as are a quorum with ourselves, those first that kept
   * nobody waiting. A change of the members concerns everybody.
   */
  #neededFor(batch: LogBatch): ReadonlySet<LearnerLink> {
    const followers = [...this.#learners].filter(({ follows }) => follows)
    const isForAll = this.#config.proposeToQuorum !== true || batch.configuration !== undefined
    if (isForAll || this.#membership.pending !== undefined) return new Set(followers)
    const needed: LearnerLink[] = []
    for (const one of followers.toSorted((a, b) => a.timesLate - b.timesLate)) {
      const sids = [this.#config.sid, ...needed.map(({ peer }) => peer)]
      if (this.#membership.isQuorum(sids)) break
      if (one.is('synced')) needed.push(one)
    }
    return new Set(needed)
  }

  #agreed(): Zxid | undefined {
    const acked = new Map<Sid, Zxid>([[this.#config.sid, this.#ownAcked]])
    for (const learner of this.#learners) {
      if (learner.follows && learner.is('synced')) acked.set(learner.peer, learner.acked)
    }
    const { active, pending } = this.#membership
    const agreed = highestAgreed(active.quorum, acked)
    if (!pending || agreed === undefined || agreed < pending.version) return agreed
    // From a reconfiguration on both quorums are needed; it is committed by itself, what follows by the new one alone.
    const newAgreed = highestAgreed(pending.quorum, acked)
    if (newAgreed !== undefined && newAgreed >= pending.version) return pending.version
    return this.#lastBefore(pending.version)
  }

  /**
   * A follower that is a quorum with us need not hear of a commit: what we have durable is committed once it has, and it knows
   * that first (docs/decisions/0020). Where all are asked at once, the one message more would cost more than it saves.
   */
  #pledge(learner: LearnerLink, turn: Turn): void {
    if (this.#config.proposeToQuorum !== true) return
    const own = this.#ownAcked
    if (own <= Math.max(learner.told, learner.acked, learner.pledged)) return
    if (!learner.follows || !learner.is('synced') || learner.withheld.length > 0) return
    const { active, pending } = this.#membership
    if (pending !== undefined || !active.quorum.isQuorum([this.#config.sid, learner.peer])) return
    learner.pledged = own
    learner.send({ type: 'pledged', zxid: own }, turn)
  }

  #lastBefore(zxid: Zxid): Zxid {
    const { committed } = this.#journal
    const isFirst = counterOf(zxid) === (this.#config.counterStart ?? 0) + 1
    return isFirst || committed >= zxid - 1 ? committed : asZxid(zxid - 1)
  }

  #tell(learner: LearnerLink, turn: Turn): void {
    const { committed, history } = this.#journal
    if (!learner.is('synced') || learner.told >= committed) return
    if (learner.follows) {
      learner.release(committed, turn)
      learner.send({ type: 'commit', zxid: committed }, turn)
    } else if (learner.told < history.base) {
      return this.#learners.cut(learner, 'it is behind what we keep', turn)
    } else {
      for (const batch of history.batches(learner.told, committed)) {
        learner.send({ type: 'inform', batch }, turn)
      }
    }
    learner.told = committed
  }
}
