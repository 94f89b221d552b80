/**
 * When a member writes its checkpoint: as rarely as what a waking member applies again allows, for what is set again and
 * again, or comes and goes, is then written once or not at all. Its rows are written early, some a turn, so that the
 * checkpoint itself is short.
 */
import { limits } from './shared/limits.ts'

export interface CheckpointRules {
  /** Txns between two checkpoints, at most. */
  readonly snapCountTxns: number
  /** New nodes without a row, at most. */
  readonly unwrittenNodesMax: number
  /** Rows written early in one turn, at most. */
  readonly rowsAtOnceMax: number
  /** Rows left to the checkpoint itself, at most. */
  readonly rowsAtLastMax: number
}

/** What the tree has that its checkpoint has not. */
export interface Unwritten {
  /** New nodes. */
  readonly unwrittenCount: number
  /** Other rows. */
  readonly changedCount: number
  /** Bytes of both; asked for when they are few. */
  readonly changedBytes: number
}

/** What is to be written at the end of a turn: one transaction's worth. */
export type Due =
  | { readonly type: 'nothing' }
  /** At most so many; `isPressing`: a checkpoint waits for them; `isOverdue`: for so long that nothing else is to be taken. */
  | {
      readonly type: 'earlyRows'
      readonly count: number
      readonly isPressing: boolean
      readonly isOverdue: boolean
    }
  | { readonly type: 'checkpoint' }

export const nothingDue: Due = { type: 'nothing' }

export class CheckpointSchedule {
  readonly #rules: CheckpointRules
  #txns = 0
  #bytes = 0
  #appliedAtMs = 0
  #writtenAtMs = 0

  constructor(rules: CheckpointRules) {
    this.#rules = rules
  }

  /** Txns of so many bytes of log were applied. */
  applied(nowMs: number, txns: number, bytes: number): void {
    this.#txns += txns
    this.#bytes += bytes
    this.#appliedAtMs = nowMs
  }

  /** The tree is as its checkpoint. */
  written(nowMs: number): void {
    this.#txns = 0
    this.#bytes = 0
    this.#writtenAtMs = nowMs
  }

  /** When the member has rested long enough; Infinity: the checkpoint has everything. */
  get idleAtMs(): number {
    return this.#txns === 0 ? Infinity : this.#appliedAtMs + limits.idleBeforeCheckpointMs
  }

  due(nowMs: number, tree: Unwritten, isStorageFull: boolean): Due {
    if (this.#txns === 0) return nothingDue
    const { unwrittenNodesMax, rowsAtOnceMax } = this.#rules
    const part = this.#part
    const isDue =
      part >= 1 ||
      nowMs >= this.idleAtMs ||
      // What was deleted gives room once the log of it is gone, however busy everybody is being refused.
      (isStorageFull && nowMs >= this.#writtenAtMs + limits.idleBeforeCheckpointMs)
    const early = {
      type: 'earlyRows',
      count: rowsAtOnceMax,
      isPressing: isDue,
      isOverdue: part >= limits.overdueParts,
    } as const
    if (isDue) return this.#isShort(tree) ? { type: 'checkpoint' } : early
    // Only of new nodes, for what changes again would be written twice; and as many at once as may be: rows that follow
    // each other share pages, and each time costs a flush.
    const mayWait = Math.min(1, 2 * (1 - part)) * unwrittenNodesMax
    const isTime = tree.unwrittenCount - mayWait >= rowsAtOnceMax
    return isTime ? early : nothingDue
  }

  /** Is so little left to the checkpoint that it may be written? */
  #isShort(tree: Unwritten): boolean {
    const areFew = tree.unwrittenCount + tree.changedCount <= this.#rules.rowsAtLastMax
    return areFew && tree.changedBytes <= limits.pagesAtOnceMax * limits.pageBytes
  }

  /** How much of what may lie between two checkpoints does: 1 is all. */
  get #part(): number {
    return Math.max(
      this.#txns / this.#rules.snapCountTxns,
      this.#bytes / limits.bytesBetweenCheckpoints,
    )
  }
}
