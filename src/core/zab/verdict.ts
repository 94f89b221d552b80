import type { Sid } from '../shared/units.ts'

/** What a leader or a learner says of its own progress; `member.ts` alone moves the phase by it. */
export type Verdict =
  | { readonly type: 'discovered' }
  | { readonly type: 'established' }
  /** `successor`: whom to follow without an election. */
  | { readonly type: 'over'; readonly reason: string; readonly successor: Sid | undefined }

export const discovered: Verdict = { type: 'discovered' }
export const established: Verdict = { type: 'established' }
export const over = (reason: string, successor?: Sid): Verdict => ({
  type: 'over',
  reason,
  successor,
})
