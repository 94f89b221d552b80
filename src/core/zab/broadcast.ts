/**
 * Phase 3, the leader's side: proposes, counts who has what, commits what a quorum has, and tells the learners.
 */
import { invariant } from '../shared/assert.ts'
import { limits } from '../shared/limits.ts'
import { counterOf, type Epoch, type Sid, type Zxid, zxidOf } from '../shared/units.ts'
import type { Turn } from '../turn.ts'
import type { ZabConfig } from './config.ts'
import type { Ground } from './ground.ts'
import type { Journal } from './journal.ts'
import type { LearnerLink } from './learner-link.ts'
import type { Learners } from './learners.ts'
import type { LogBatch } from './log-batch.ts'
import { demand } from './peer-fault.ts'
import { highestAgreed, type QuorumVerifier } from './quorum.ts'
import { showPoint } from './show.ts'

interface Proposed {
  readonly last: Zxid
  readonly atMs: number
}

export class Broadcast {
  readonly #config: ZabConfig
  readonly #quorum: QuorumVerifier
  readonly #journal: Journal
  readonly #learners: Learners
  #lastProposed: Zxid
  /** What we have durable ourselves. */
  #ownAcked: Zxid
  /** Proposals that somebody may still owe an ack for, oldest first. */
  readonly #proposed: Proposed[] = []

  /** A quorum has our history: all of it is committed. */
  constructor({ config, quorum, journal }: Ground, epoch: Epoch, learners: Learners) {
    this.#config = config
    this.#quorum = quorum
    this.#journal = journal
    this.#learners = learners
    this.#lastProposed = zxidOf(epoch, config.counterStart ?? 0)
    this.#ownAcked = journal.history.last
  }

  get lastProposed(): Zxid {
    return this.#lastProposed
  }

  propose(nowMs: number, batch: LogBatch, turn: Turn): void {
    invariant(batch.first === this.#lastProposed + 1, 'a proposal follows the last one')
    this.#lastProposed = batch.last
    for (const learner of this.#learners) {
      if (learner.votes && learner.isForwarded) learner.send({ type: 'proposal', batch }, turn)
    }
    this.#proposed.push({ last: batch.last, atMs: nowMs })
    this.#journal.append(batch, turn)
    this.#journal.whenOwnDurable({ type: 'ack', zxid: batch.last })
  }

  ackOwn(zxid: Zxid): void {
    this.#ownAcked = zxid
  }

  ack(learner: LearnerLink, zxid: Zxid): void {
    learner.at('synced')
    demand(learner.votes, 'an observer does not ack')
    demand(zxid >= learner.acked, `ack of ${showPoint(zxid)} after ${showPoint(learner.acked)}`)
    demand(zxid <= this.#lastProposed, `ack of ${showPoint(zxid)}, which was not proposed`)
    learner.acked = zxid
  }

  /** A learner that took over our history begins to serve. */
  welcome(learner: LearnerLink, turn: Turn): void {
    if (learner.votes) learner.told = this.#journal.committed
    learner.send({ type: 'upToDate', committed: learner.told }, turn)
  }

  /** The end of a step: commits what a quorum has and tells it, once a turn to each learner. */
  conclude(turn: Turn): void {
    const agreed = this.#agreed()
    if (agreed !== undefined && agreed > this.#journal.committed) {
      this.#journal.commit(agreed, turn)
    }
    for (const learner of this.#learners) this.#tell(learner, turn)
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
      if (!learner.votes || !learner.is('synced')) continue
      const owed = this.#proposed.find(({ last }) => last > learner.acked)
      if (!owed || nowMs - owed.atMs <= limitMs) continue
      this.#learners.cut(learner, `it has not acked ${showPoint(owed.last)}`, turn)
    }
  }

  /** Forgets proposals that everybody has. */
  trim(): void {
    let acked = this.#lastProposed
    for (const { votes, stage, acked: has } of this.#learners) {
      if (!votes) continue
      if (stage.type === 'synced' && has < acked) acked = has
      if (stage.type === 'offered' && stage.through < acked) acked = stage.through
    }
    const kept = this.#proposed.findIndex(({ last }) => last > acked)
    this.#proposed.splice(0, kept < 0 ? this.#proposed.length : kept)
  }

  #agreed(): Zxid | undefined {
    const acked = new Map<Sid, Zxid>([[this.#config.sid, this.#ownAcked]])
    for (const learner of this.#learners) {
      if (learner.votes && learner.is('synced')) acked.set(learner.peer, learner.acked)
    }
    return highestAgreed(this.#quorum, acked)
  }

  #tell(learner: LearnerLink, turn: Turn): void {
    const { committed, history } = this.#journal
    if (!learner.is('synced') || learner.told >= committed) return
    if (learner.votes) {
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
