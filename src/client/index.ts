/** What `durable-keeper/client` exports. */
export type { Acl, Stat } from '../core/jute/records.ts'
export { permissions } from '../core/wire/opcodes.ts'
export {
  type Children,
  Client,
  connect,
  type ReadOptions,
  type Value,
  type VersionOption,
} from './client.ts'
export { type ErrorCode, MultiError, ZooKeeperError } from './errors.ts'
export { follow } from './follow.ts'
export {
  type Answers,
  type Created,
  type CreateMode,
  type CreateOptions,
  type Data,
  openAcl,
  type Step,
  step,
} from './multi.ts'
export type { ClientOptions, SessionTicket } from './options.ts'
export type { State, StateListener } from './session-state.ts'
export { type Dial, type Transport, type TransportEvents, webSocket } from './transport.ts'
export type { WatchEvent, WatchListener } from './watch.ts'
