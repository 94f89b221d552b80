/**
 * One end of a channel between a session actor and a member, with the knowledge that actors/channel.ts gives it:
 * messages are numbered, a gap or a repeat ends it, and one end may be over without the other's hearing of it.
 */
import type { Sid } from '../../src/core/shared/units.ts'

export class EdgeEnd {
  readonly id: number
  /** Where the session actor lives. */
  readonly actor: number
  readonly member: Sid
  nextOut = 0
  nextIn = 0
  /** When the last message sent from this end arrives. */
  arrivesMs = 0
  /** At a member: a call of the actor's is held open, so the actor hears at once when this end is over. */
  isHeld = false

  constructor(id: number, actor: number, member: Sid) {
    this.id = id
    this.actor = actor
    this.member = member
  }

  /** Whether the message is the next one; `over` if it ends the channel. */
  accept(number: number): 'next' | 'early' | 'over' {
    if (number < this.nextIn) return 'over'
    if (number > this.nextIn) return 'early'
    this.nextIn += 1
    return 'next'
  }
}
