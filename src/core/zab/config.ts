import type { Sid } from '../shared/units.ts'
import type { Configuration } from './configuration.ts'

/** What a member knows of its ensemble before it hears anybody. */
export interface ZabConfig {
  readonly sid: Sid
  /** The members of an ensemble that has no configuration of its own yet. */
  readonly first: Configuration
  readonly tickTimeMs: number
  readonly initLimitTicks: number
  readonly syncLimitTicks: number
  readonly finalizeWaitMs: number
  /**
   * A proposal waits for its commit where a quorum has it without that follower (docs/decisions/0015), and a commit is not told to who can
   * tell (0020).
   */
  readonly proposeToQuorum?: boolean
  /** Txns kept below the checkpoint, so that a late learner gets a DIFF and not a snapshot. */
  readonly historyTxnsMax: number
  /** The counter an epoch starts after, 0 unless a test is about the counter's end. The same at every member. */
  readonly counterStart?: number
}
