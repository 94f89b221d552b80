/** What `durable-keeper/client` exports. */
export type { Acl, Stat } from '../core/jute/records.ts'
export { permissions } from '../core/wire/opcodes.ts'
export { allow } from './acl.ts'
export type {
  Children,
  Identity,
  MemberChange,
  ReadOptions,
  Value,
  VersionOption,
  WatchMode,
} from './answers.ts'
export { Client, connect } from './client.ts'
export {
  type Created,
  type CreateMode,
  type CreateOptions,
  type CreateTtlOptions,
  type Data,
  type NodeOptions,
  openAcl,
} from './create.ts'
export { type ErrorCode, MultiError, ZooKeeperError } from './errors.ts'
export { follow } from './follow.ts'
export { type Answers, type Step, step } from './multi.ts'
export { type Read, type ReadAnswers, read } from './multi-read.ts'
export type { ClientOptions, SessionTicket } from './options.ts'
export type { FinalState, State, StateListener } from './session-state.ts'
export { type Dial, type Transport, type TransportEvents, webSocket } from './transport.ts'
export type { WatcherType, WatchEvent, WatchListener } from './watch.ts'
