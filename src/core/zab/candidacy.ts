/**
 * What a member remembers from election to election: the round, and whom it settled on, which is what it answers to
 * those who are still looking.
 */
import type { Sid } from '../shared/units.ts'
import type { Turn } from '../turn.ts'
import { type Elected, Election, noVote } from './election.ts'
import type { Ground } from './ground.ts'
import type { ServerState, Vote } from './messages.ts'

export class Candidacy {
  readonly #ground: Ground
  /** The election's logical clock; it begins anew with each incarnation. */
  #round = 0
  #vote: Vote = noVote

  constructor(ground: Ground) {
    this.#ground = ground
  }

  get round(): number {
    return this.#round
  }

  /** A search in a new round. Whose vote does not count has nobody to propose. */
  next(after = this.#round): Election {
    const { config, membership, journal } = this.#ground
    this.#round = after + 1
    const own = {
      leader: config.sid,
      zxid: journal.history.last,
      epoch: journal.currentEpoch,
    }
    const votes = membership.isElector(config.sid) && !journal.mustRecover
    return new Election(config, membership, votes ? own : undefined, this.#round)
  }

  /** Who does not vote asks rarely and is not asked: whoever has settled lets him know. */
  settle({ vote, round }: Elected, state: ServerState, turn: Turn): void {
    this.#vote = vote
    this.#round = round
    const { config, membership } = this.#ground
    if (!membership.isElector(config.sid)) return
    for (const to of membership.members) {
      if (!membership.isElector(to)) this.tell(to, state, turn)
    }
  }

  /** All who serve must tell newcomers the same vote, whatever election they came from (ZOOKEEPER-1732). */
  serve(): void {
    this.#vote = { ...this.#vote, epoch: this.#ground.journal.currentEpoch }
  }

  tell(to: Sid, state: ServerState, turn: Turn): void {
    const { config, membership } = this.#ground
    const { told: configuration, toldPending: pending } = membership
    const vote = this.#vote
    const note = {
      from: config.sid,
      state,
      vote,
      round: this.#round,
      asks: false,
      configuration,
      pending,
    }
    turn.notes.push({ to, note })
  }
}
