/**
 * Laws of a member: of one state, and between two states that follow each other. Tests and the simulator check them
 * after every step; each law is one claim.
 */
import { invariant } from '../shared/assert.ts'
import { type Epoch, epochOf, type Sid, type Zxid } from '../shared/units.ts'
import type { ZabMember } from './member.ts'
import type { Phase } from './phase.ts'

/** A member as it stands between two steps. */
export interface MemberState {
  readonly phase: Phase['type']
  readonly leader: Sid | undefined
  readonly epoch: Epoch
  readonly acceptedEpoch: Epoch
  readonly currentEpoch: Epoch
  readonly base: Zxid
  readonly lastLogged: Zxid
  readonly lastProposed: Zxid
  readonly committed: Zxid
  readonly round: number
}

export const stateOf = (member: ZabMember): MemberState => ({
  phase: member.phase.type,
  leader: member.leader,
  epoch: member.epoch,
  acceptedEpoch: member.acceptedEpoch,
  currentEpoch: member.currentEpoch,
  base: member.history.base,
  lastLogged: member.lastLogged,
  lastProposed: member.lastProposed,
  committed: member.committed,
  round: member.round,
})

export function checkState(state: MemberState): void {
  const { phase, epoch, acceptedEpoch, currentEpoch } = state
  const { base, committed, lastLogged, lastProposed } = state
  invariant(currentEpoch <= acceptedEpoch, 'an epoch is accepted before it is current')
  invariant(base <= committed, 'what is forgotten was committed')
  invariant(committed <= lastLogged, 'what is committed is logged')
  invariant(epochOf(lastLogged) <= currentEpoch, 'no txn is of an epoch that was not entered')
  invariant(lastLogged <= lastProposed, 'a leader logs what it proposes')
  if (phase === 'leading' || phase === 'following') {
    invariant(epoch === currentEpoch, 'who serves has entered its epoch')
    invariant(epoch === acceptedEpoch, 'who serves has promised nothing to anybody newer')
    invariant(state.leader !== undefined, 'who serves knows its leader')
  }
  if (phase === 'leading')
    invariant(epochOf(lastProposed) === epoch, 'a leader proposes in its epoch')
}

/** Between two states of one incarnation. `installed`: a snapshot took the place of the history in between. */
export function checkStep(before: MemberState, after: MemberState, installed: boolean): void {
  invariant(after.acceptedEpoch >= before.acceptedEpoch, 'accepted epochs only grow')
  invariant(after.currentEpoch >= before.currentEpoch, 'current epochs only grow')
  if (!installed) {
    invariant(after.committed >= before.committed, 'what is committed stays committed')
    invariant(after.base >= before.base, 'what is forgotten stays forgotten')
  }
  const serves = after.phase === 'following' || after.phase === 'leading'
  if (serves && before.phase === after.phase && before.epoch === after.epoch) {
    invariant(after.leader === before.leader, 'an epoch has one leader')
    invariant(after.lastProposed >= before.lastProposed, 'in broadcast the log only grows')
  }
  if (before.phase === 'looking' && after.phase === 'looking') {
    invariant(after.round >= before.round, 'rounds only grow')
  }
}
