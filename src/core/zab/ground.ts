import type { ZabConfig } from './config.ts'
import type { Journal } from './journal.ts'
import type { SnapshotSource } from './learner-link.ts'
import type { Membership } from './membership.ts'

/** What every part of a member stands on, whatever its phase. */
export interface Ground {
  readonly config: ZabConfig
  readonly membership: Membership
  readonly journal: Journal
  readonly snapshots: SnapshotSource
}
