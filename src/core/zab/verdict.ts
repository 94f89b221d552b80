/** What a leader or a learner says of its own progress; `member.ts` alone moves the phase by it. */
export type Verdict =
  | { readonly type: 'discovered' }
  | { readonly type: 'established' }
  | { readonly type: 'over'; readonly reason: string }

export const discovered: Verdict = { type: 'discovered' }
export const established: Verdict = { type: 'established' }
export const over = (reason: string): Verdict => ({ type: 'over', reason })
