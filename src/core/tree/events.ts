/** What a change of the tree tells watchers, in the order it must be told. */
import type { EventType } from '../wire/opcodes.ts'

export interface TreeEvent {
  readonly type: EventType
  readonly path: string
}
