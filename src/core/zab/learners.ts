/** Those who joined a leader, by their links. */
import type { Sid } from '../shared/units.ts'
import type { LinkId, Turn } from '../turn.ts'
import type { ZabConfig } from './config.ts'
import type { Configuration } from './configuration.ts'
import { LearnerLink } from './learner-link.ts'
import type { Membership } from './membership.ts'

export class Learners {
  readonly #config: ZabConfig
  readonly #membership: Membership
  readonly #byLink = new Map<LinkId, LearnerLink>()

  constructor(config: ZabConfig, membership: Membership) {
    this.#config = config
    this.#membership = membership
  }

  get(link: LinkId): LearnerLink | undefined {
    return this.#byLink.get(link)
  }

  get links(): LinkId[] {
    return [...this.#byLink.keys()]
  }

  [Symbol.iterator](): Iterator<LearnerLink> {
    return this.#byLink.values()
  }

  join(nowMs: number, link: LinkId, peer: Sid): void {
    this.#byLink.set(link, new LearnerLink(link, peer, nowMs))
  }

  /** A link is gone, or is to be cut. */
  leave(link: LinkId): void {
    this.#byLink.get(link)?.close()
    this.#byLink.delete(link)
  }

  cut(learner: LearnerLink, reason: string, turn: Turn): void {
    turn.log.push(`drops ${learner.peer}: ${reason}`)
    turn.disconnect.push(learner.link)
    this.leave(learner.link)
  }

  /** A learner that joins again has left its older link, whether we heard of that or not. */
  replaceOlder(learner: LearnerLink, turn: Turn): void {
    for (const other of this) {
      if (other.peer === learner.peer && other !== learner) this.cut(other, 'it joined anew', turn)
    }
  }

  cutSilent(nowMs: number, turn: Turn): void {
    const { tickTimeMs, initLimitTicks, syncLimitTicks } = this.#config
    for (const learner of this) {
      if (learner.isOverdue(nowMs, initLimitTicks * tickTimeMs, syncLimitTicks * tickTimeMs)) {
        this.cut(learner, 'it is silent', turn)
      }
    }
  }

  /** Whether the followers that count are a quorum together with ourselves. */
  hasQuorumOf(counts: (learner: LearnerLink) => boolean): boolean {
    return this.#membership.isQuorum([this.#config.sid, ...this.#followers(counts)])
  }

  /** Whether a quorum of this configuration has our history, ourselves among them only if we are in it. */
  hasSynced({ quorum }: Configuration): boolean {
    return quorum.isQuorum([this.#config.sid, ...this.#followers((one) => one.is('synced'))])
  }

  /** Who observes acks nothing, and counts for nothing. */
  #followers(counts: (learner: LearnerLink) => boolean): Sid[] {
    return [...this].filter((one) => one.follows && counts(one)).map(({ peer }) => peer)
  }
}
