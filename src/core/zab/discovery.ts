/**
 * Phase 1: a quorum promises a new epoch, above every epoch any of them promised before, and shows that none of them
 * knows more than the leader.
 */
import { limits } from '../shared/limits.ts'
import { asEpoch, type Epoch, type Sid, type Zxid } from '../shared/units.ts'
import type { Turn } from '../turn.ts'
import type { Ground } from './ground.ts'
import type { LearnerLink } from './learner-link.ts'
import type { Learners } from './learners.ts'
import type { PacketOf } from './messages.ts'
import { demand } from './peer-fault.ts'
import { showPoint } from './show.ts'
import { discovered, over, type Verdict } from './verdict.ts'

/** The leader's side; learners that come later are asked by it too. */
export class Discovery {
  readonly #ground: Ground
  readonly #learners: Learners
  readonly #informed: Set<Sid>
  readonly #promised = new Set<Sid>()
  #highest: Epoch
  #epoch: Epoch | undefined
  /** Our own promise is on disk: the new epoch may be told. */
  #mayTell = false

  /** `highest` is the highest epoch we heard to be accepted. */
  constructor(ground: Ground, learners: Learners, highest: Epoch) {
    this.#ground = ground
    this.#learners = learners
    this.#informed = new Set([ground.config.sid])
    const { acceptedEpoch } = ground.journal
    this.#highest = acceptedEpoch > highest ? acceptedEpoch : highest
  }

  get epoch(): Epoch | undefined {
    return this.#epoch
  }

  /** The highest epoch heard to be accepted by anybody. */
  get highest(): Epoch {
    return this.#highest
  }

  /** Chooses the new epoch as soon as a quorum has joined; who is alone is the quorum. */
  choose(turn: Turn): void {
    const { membership, journal } = this.#ground
    if (!membership.isQuorum([...this.#informed])) return
    if (this.#highest >= limits.epochMax) {
      turn.log.push('cannot lead: the epochs are used up')
      return
    }
    this.#epoch = asEpoch(this.#highest + 1)
    turn.log.push(`a quorum joined: epoch ${this.#epoch}`)
    const { currentEpoch, history } = journal
    journal.accept(this.#epoch, turn)
    const promise = { type: 'ackEpoch', currentEpoch, lastZxid: history.last } as const
    journal.whenOwnDurable(promise)
  }

  receiveInfo(
    nowMs: number,
    learner: LearnerLink,
    { type, acceptedEpoch, version }: PacketOf<'followerInfo' | 'observerInfo'>,
    turn: Turn,
  ): Verdict | undefined {
    learner.at('joined')
    const { newest } = this.#ground.membership
    if (version > newest.version) {
      const ahead = `its configuration ${showPoint(version)} is above our ${showPoint(newest.version)}`
      demand(this.#epoch === undefined, ahead)
      return over(`${learner.peer} knows more: ${ahead}`)
    }
    learner.follows = type === 'followerInfo'
    this.#learners.replaceOlder(learner, turn)
    learner.enter({ type: 'informed' }, nowMs)
    if (acceptedEpoch > this.#highest) this.#highest = acceptedEpoch
    if (this.#epoch === undefined) {
      if (learner.follows) this.#informed.add(learner.peer)
      this.choose(turn)
      return undefined
    }
    // It could never join us. ZooKeeper leaves it outside until some other election; we reign anew, above it.
    if (acceptedEpoch > this.#epoch) {
      return over(`${learner.peer} has promised epoch ${acceptedEpoch}, ours is ${this.#epoch}`)
    }
    if (this.#mayTell) this.#ask(nowMs, learner, this.#epoch, turn)
    return undefined
  }

  receiveOwnPromise(nowMs: number, turn: Turn): Verdict | undefined {
    this.#mayTell = true
    for (const learner of this.#learners) {
      if (learner.is('informed') && this.#epoch !== undefined) {
        this.#ask(nowMs, learner, this.#epoch, turn)
      }
    }
    return this.#count(this.#ground.config.sid)
  }

  #ask(nowMs: number, learner: LearnerLink, epoch: Epoch, turn: Turn): void {
    learner.send({ type: 'leaderInfo', epoch }, turn)
    learner.enter({ type: 'asked' }, nowMs)
  }

  /** A learner promised, and says what it knows; −1 is a promise it gave before. */
  receivePromise(
    learner: LearnerLink,
    { currentEpoch, lastZxid }: PacketOf<'ackEpoch'>,
  ): Verdict | undefined {
    if (currentEpoch < 0 || !this.#counts(learner)) return undefined
    const ahead = this.#whyAhead(currentEpoch, lastZxid)
    if (ahead) return over(`${learner.peer} knows more: ${ahead}`)
    return learner.follows ? this.#count(learner.peer) : undefined
  }

  /** Who follows without a vote may know what was never committed, and keeps nobody from leading. */
  #counts({ follows, peer }: LearnerLink): boolean {
    return !follows || this.#ground.membership.isElector(peer)
  }

  #count(sid: Sid): Verdict | undefined {
    this.#promised.add(sid)
    return this.#ground.membership.isQuorum([...this.#promised]) ? discovered : undefined
  }

  /** Why a member may not be led by us (StateSummary.isMoreRecentThan). */
  #whyAhead(currentEpoch: Epoch, lastZxid: Zxid): string | undefined {
    const { currentEpoch: ownEpoch, history } = this.#ground.journal
    if (currentEpoch > ownEpoch) return `its epoch ${currentEpoch} is above our ${ownEpoch}`
    if (currentEpoch < ownEpoch || lastZxid <= history.last) return undefined
    return `its ${showPoint(lastZxid)} is above our ${showPoint(history.last)}`
  }
}

/** The learner's side: promise, say again without counting, or refuse. */
export function judgeEpoch(epoch: Epoch, acceptedEpoch: Epoch): 'promise' | 'repeat' | 'refuse' {
  if (epoch > acceptedEpoch) return 'promise'
  return epoch === acceptedEpoch ? 'repeat' : 'refuse'
}
