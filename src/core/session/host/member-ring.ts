/** The members as a host knows them: which one to ask, and which after that. */
import { limits } from '../../shared/limits.ts'
import { asSid, type Sid } from '../../shared/units.ts'

export class MemberRing {
  readonly #home: Sid
  /** Where to look for one that serves. */
  #members: readonly Sid[]

  constructor(home: Sid, members: readonly Sid[]) {
    this.#home = home
    this.#members = members
  }

  /** A member says who they are now. */
  learn(sids: readonly number[]): void {
    const members = sids.filter((sid) => sid >= 1 && sid <= limits.sidMax).map(asSid)
    if (members.length > 0) this.#members = members
  }

  /** Home first; after a failure the next one. */
  after(failed: Sid | undefined): Sid {
    if (failed === undefined) return this.#home
    const members = this.#members
    return members[(members.indexOf(failed) + 1) % members.length] ?? this.#home
  }
}
