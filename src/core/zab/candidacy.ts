/**
 * What a member remembers from election to election: the round, and whom it settled on, which is what it answers to
 * those who are still looking.
 */
import type { Sid } from '../shared/units.ts'
import type { Turn } from '../turn.ts'
import { isVoter } from './config.ts'
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

  /** A search in a new round. Who does not vote has nobody to propose. */
  next(): Election {
    const { config, quorum, journal } = this.#ground
    this.#round += 1
    const own = {
      leader: config.sid,
      zxid: journal.history.last,
      epoch: journal.currentEpoch,
    }
    const votes = isVoter(config, config.sid) && !journal.mustRecover
    return new Election(config, quorum, votes ? own : undefined, this.#round)
  }

  /** Observers ask rarely and nobody asks them: whoever has settled lets them know. */
  settle({ vote, round }: Elected, state: ServerState, turn: Turn): void {
    this.#vote = vote
    this.#round = round
    const { config } = this.#ground
    if (!isVoter(config, config.sid)) return
    for (const to of config.observers) this.tell(to, state, turn)
  }

  /** All who serve must tell newcomers the same vote, whatever election they came from (ZOOKEEPER-1732). */
  serve(): void {
    this.#vote = { ...this.#vote, epoch: this.#ground.journal.currentEpoch }
  }

  tell(to: Sid, state: ServerState, turn: Turn): void {
    const { sid } = this.#ground.config
    const note = { from: sid, state, vote: this.#vote, round: this.#round, asks: false }
    turn.notes.push({ to, note })
  }
}
