/** What a change of the tree tells watchers, in the order it must be told. */
import type { Acl } from '../jute/records.ts'
import type { EventType } from '../wire/opcodes.ts'

export interface TreeEvent {
  readonly type: EventType
  readonly path: string
  /** Of the node the event is about, as it was then: only who may read it is told (CVE-2024-23944). */
  readonly acl: readonly Acl[]
}
