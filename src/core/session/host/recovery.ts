/**
 * Asks the ensemble which sessions an actor has: after a crash it knows none, and must judge them all the same. Once
 * more when an open of the life before can no longer be under way.
 */
import type { Sid } from '../../shared/units.ts'
import type { HostConfig, HostPorts } from './host-ports.ts'
import type { MemberRing } from './member-ring.ts'
import type { Roster } from './roster.ts'
import type { Schedule } from './schedule.ts'

export class Recovery {
  readonly #config: HostConfig
  readonly #ports: HostPorts
  readonly #schedule: Schedule
  readonly #members: MemberRing
  readonly #roster: Roster
  #isRecovered = false
  /** After a crash: when an open of the life before can no longer be under way, and the list is asked for once more. */
  #listAgainAtMs = Infinity
  #wasListedTwice = false
  #asked: Sid | undefined

  constructor(
    config: HostConfig,
    ports: HostPorts,
    schedule: Schedule,
    members: MemberRing,
    roster: Roster,
  ) {
    this.#config = config
    this.#ports = ports
    this.#schedule = schedule
    this.#members = members
    this.#roster = roster
  }

  /** Asks a member for the list, and another one each time, until one answers. */
  ask(): void {
    if (this.#isRecovered) return
    this.#asked = this.#members.after(this.#asked)
    this.#ports.up(this.#asked, { type: 'list', number: 0, ...this.#roster.idRange })
    this.#schedule.retryBy(this.#schedule.nowMs + this.#config.tickTimeMs)
  }

  askAgainIfDue(): void {
    if (this.#schedule.nowMs < this.#listAgainAtMs) return
    this.#listAgainAtMs = Infinity
    this.#wasListedTwice = true
    this.#isRecovered = false
    this.ask()
  }

  /** The list has come. */
  listed(): void {
    this.#isRecovered = true
    this.#listAgainAtMs = this.#wasListedTwice
      ? Infinity
      : this.#schedule.nowMs + this.#config.maxSessionTimeoutMs
    this.#schedule.alarmBy(this.#listAgainAtMs)
  }

  /** The actor hibernated. Who does is at rest: nothing of the life before is under way. */
  wasAtRest(): void {
    this.#wasListedTwice = true
  }

  /** A crash before the list is answered must find an alarm: only that makes the next life ask. */
  get alarmAtMs(): number {
    const isAsking = !this.#isRecovered && this.#asked !== undefined
    const askingMs = isAsking ? this.#schedule.nowMs + this.#config.maxSessionTimeoutMs : Infinity
    return Math.min(askingMs, this.#listAgainAtMs)
  }
}
