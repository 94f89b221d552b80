/**
 * Who counts, as far as this member knows: the configuration in force, and the one that was proposed after it and is not
 * known to be committed. While there is such a one, nothing is decided without a quorum of both.
 */
import type { Sid, Zxid } from '../shared/units.ts'
import type { Configuration } from './configuration.ts'

export class Membership {
  #active: Configuration
  #pending: Configuration | undefined
  /** The pending one is in the log of others, not in ours. */
  #isHeard = false

  constructor(active: Configuration) {
    this.#active = active
  }

  /** The newest that is known to be committed. */
  get active(): Configuration {
    return this.#active
  }

  get pending(): Configuration | undefined {
    return this.#pending
  }

  /** The newest that is known at all. */
  get newest(): Configuration {
    return this.#pending ?? this.#active
  }

  /** Only what the settings say: no leader has put it in force yet. */
  get isProvisional(): boolean {
    return this.#active.version === 0
  }

  /** What others may be told: what the settings say here they know better themselves. */
  get told(): Configuration | undefined {
    return this.isProvisional ? undefined : this.#active
  }

  isQuorum(sids: Iterable<Sid>): boolean {
    if (!this.#active.quorum.isQuorum(sids)) return false
    return this.#pending === undefined || this.#pending.quorum.isQuorum(sids)
  }

  /**
   * Whether these have a leader that may be followed: one configuration is enough, for it is the leader who needs the
   * quorums, and a reconfiguration in our log may be one that nobody else has.
   */
  mayFollow(sids: readonly Sid[]): boolean {
    return this.#active.quorum.isQuorum(sids) || this.#pending?.quorum.isQuorum(sids) === true
  }

  /** Those who may lead, and whose votes count. */
  get electors(): readonly Sid[] {
    return this.#pending
      ? unionOf(this.#active.electors, this.#pending.electors)
      : this.#active.electors
  }

  isElector(sid: Sid): boolean {
    return this.#active.electors.includes(sid) || this.#pending?.electors.includes(sid) === true
  }

  /** Whether it has no vote to come: a quorum of pending members is one of followers. */
  observes(sid: Sid): boolean {
    return this.#active.isObserver(sid) && this.#pending?.electors.includes(sid) !== true
  }

  get members(): readonly Sid[] {
    return this.#pending ? unionOf(this.#active.sids, this.#pending.sids) : this.#active.sids
  }

  /** A reconfiguration is logged. The one before it was committed then: a leader proposes one at a time. */
  log(configuration: Configuration): void {
    if (configuration.version <= this.#active.version) return
    if (this.#pending && !this.#isHeard) this.#active = this.#pending
    this.#pending = configuration
    this.#isHeard = false
  }

  /** Somebody has this one in its log, and looks for its quorum. Whether that is news. */
  hear(configuration: Configuration): boolean {
    if (this.#pending || configuration.version <= this.#active.version) return false
    this.#pending = configuration
    this.#isHeard = true
    return true
  }

  /** A leader's log says what there is. */
  forgetHeard(): void {
    if (this.#isHeard) this.#pending = undefined
    this.#isHeard = false
  }

  /** What others may be told to be pending: only what is in our log. */
  get toldPending(): Configuration | undefined {
    return this.#isHeard || this.isProvisional ? undefined : this.#pending
  }

  /** Whether a reconfiguration is in force now that everything up to `zxid` is committed. */
  commit(zxid: Zxid): boolean {
    if (this.#pending === undefined || this.#pending.version > zxid || this.#isHeard) return false
    this.#active = this.#pending
    this.#pending = undefined
    return true
  }

  /** Nothing after `to` is logged any more. */
  truncate(to: Zxid): void {
    if (this.#pending && this.#pending.version > to) this.#pending = undefined
  }

  /** Somebody who knows says that this one is committed. Whether that is news. */
  adopt(configuration: Configuration): boolean {
    if (configuration.version <= this.#active.version) return false
    this.#active = configuration
    if (this.#pending && this.#pending.version <= configuration.version) this.#pending = undefined
    return true
  }
}

const unionOf = (some: readonly Sid[], others: readonly Sid[]): Sid[] =>
  [...new Set([...some, ...others])].toSorted((a, b) => a - b)
