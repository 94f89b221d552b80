/**
 * When a member writes its checkpoint: as rarely as what a waking member applies again allows, for what is set again and
 * again, or comes and goes, is then written once or not at all. Rows of new nodes are written early, a few a turn, so
 * that the checkpoint itself is short.
 */
import { limits } from './shared/limits.ts'

export interface CheckpointRules {
  /** Txns between two checkpoints, at most. */
  readonly snapCountTxns: number
  /** New nodes without a row, at most. */
  readonly unwrittenNodesMax: number
  /** Rows written early in one turn, and left to the checkpoint, at most. */
  readonly rowsAtOnceMax: number
}

/** What the tree has that its checkpoint has not. */
export interface Unwritten {
  /** New nodes. */
  readonly unwrittenCount: number
  /** Other rows. */
  readonly changedCount: number
}

export type Due =
  | { readonly type: 'nothing' }
  | { readonly type: 'checkpoint' }
  /** That many rows of new nodes. */
  | { readonly type: 'earlyRows'; readonly count: number }

const nothing: Due = { type: 'nothing' }
const checkpoint: Due = { type: 'checkpoint' }
const earlyRows = (count: number): Due => ({ type: 'earlyRows', count })

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
    if (this.#txns === 0) return nothing
    const { unwrittenNodesMax, rowsAtOnceMax } = this.#rules
    const { unwrittenCount } = tree
    const part = this.#part(tree)
    const isDue =
      part >= 1 ||
      nowMs >= this.idleAtMs ||
      // What was deleted gives room once the log of it is gone, however busy everybody is being refused.
      (isStorageFull && nowMs >= this.#writtenAtMs + limits.idleBeforeCheckpointMs)
    // Twice of everything is too much to wait for a few rows a turn.
    if (isDue && (unwrittenCount <= rowsAtOnceMax || part >= 2)) return checkpoint
    const mayWait = isDue ? 0 : Math.min(1, 2 * (1 - part)) * unwrittenNodesMax
    // As many at once as may be: rows that follow each other share pages, and each time costs a flush.
    return unwrittenCount - mayWait >= rowsAtOnceMax ? earlyRows(rowsAtOnceMax) : nothing
  }

  /** How much of what may lie between two checkpoints does: 1 is all. */
  #part({ changedCount }: Unwritten): number {
    return Math.max(
      this.#txns / this.#rules.snapCountTxns,
      this.#bytes / limits.bytesBetweenCheckpoints,
      changedCount / limits.changedRowsMax,
    )
  }
}
