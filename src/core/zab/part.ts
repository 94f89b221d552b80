import type { Epoch, Sid } from '../shared/units.ts'
import type { LinkId, PeerInput, Turn } from '../turn.ts'
import type { Packet } from './messages.ts'
import type { Verdict } from './verdict.ts'

/** What a member plays once it has elected somebody: the leader, or a learner of one. */
export interface Part {
  readonly kind: 'leader' | 'learner'
  /** The epoch it is about, once known. */
  readonly epoch: Epoch | undefined
  /** The links it holds. */
  readonly links: readonly LinkId[]
  readonly wakeAtMs: number
  wake(nowMs: number, turn: Turn): Verdict | undefined
  /** Takes a new link; false if it is of no use. */
  linked(nowMs: number, input: Extract<PeerInput, { type: 'linked' }>, turn: Turn): boolean
  unlinked(nowMs: number, link: LinkId, peer: Sid): Verdict | undefined
  /** Throws PeerFault if this cannot be said now, or at all. */
  receive(nowMs: number, link: LinkId, packet: Packet, turn: Turn): Verdict | undefined
  /** A peer is at fault on this link. */
  fault(link: LinkId, fault: string, turn: Turn): Verdict | undefined
  /** Whether nothing can begin without this member. */
  needs(sid: Sid): boolean
}
