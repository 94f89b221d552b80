/** What a host is told when it begins, and what it asks of its actor. */
import type { SessionId, Sid } from '../../shared/units.ts'
import type { UpMessage } from '../edge-messages.ts'

export interface HostConfig {
  /** The member this actor's sessions are born at, and the actor's number there: the high bits of its session ids. */
  readonly home: Sid
  readonly number: number
  /** The first members, until one of them says who they are now. */
  readonly members: readonly Sid[]
  readonly tickTimeMs: number
  readonly minSessionTimeoutMs: number
  readonly maxSessionTimeoutMs: number
  readonly sessionsMax: number
  /** Requests without a reply that this actor reads for all its clients; then those that have some wait. */
  readonly outstandingLimit: number
}

/** What the host asks of its actor; all of it takes place after the step, in this order per connection. */
export interface HostPorts {
  write(connection: number, frames: Uint8Array): void
  hangup(connection: number): void
  up(member: Sid, message: UpMessage): void
  /** 16 bytes that nobody without the actor's secret can derive from the id. */
  passwordOf(session: SessionId): Uint8Array
  /** When the platform last answered a ping of this connection for us; 0 if never. */
  pingedMs(connection: number): number
}
