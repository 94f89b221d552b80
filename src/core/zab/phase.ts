import type { Election } from './election.ts'
import type { Leader } from './leader.ts'
import type { Learner } from './learner.ts'

export type Phase =
  | { readonly type: 'looking'; readonly election: Election }
  | { readonly type: 'discovering'; readonly part: Leader | Learner }
  | { readonly type: 'synchronizing'; readonly part: Leader | Learner }
  | { readonly type: 'following'; readonly part: Learner }
  | { readonly type: 'leading'; readonly part: Leader }

/** The phases of the paper, and from which to which. An observer follows too. */
export const transitions = {
  looking: ['discovering'],
  discovering: ['synchronizing', 'looking'],
  synchronizing: ['following', 'leading', 'looking'],
  following: ['looking'],
  leading: ['looking'],
} as const satisfies Record<Phase['type'], readonly Phase['type'][]>
