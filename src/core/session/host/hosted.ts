/** A session and a connection as their actor sees them. */
import type { SessionId, Sid } from '../../shared/units.ts'
import type { Identity } from '../../tree/acl.ts'
import { WatchRecord } from './watch-record.ts'

export interface Connection {
  readonly id: number
  /** The member the client asked for by port or query; undefined: any. */
  readonly pinned: Sid | undefined
  /** A WebSocket outlives its member and its actor's memory; a TCP connection is closed with its member, as ZooKeeper does. */
  readonly survives: boolean
  /** Of the client, as the platform tells it: `127.0.0.1:50412`. */
  readonly address: string
  /** What it proved by itself, a certificate's subject. */
  readonly identities: readonly Identity[]
  readonly sinceMs: number
  session: HostedSession | undefined
  /** The client has had its ConnectResponse. */
  isGreeted: boolean
  /** Whether the ConnectRequest had the readOnly field: the response has it too then. */
  withReadOnly: boolean
  /** The client takes a member that serves only reads. */
  canBeReadOnly: boolean
}

export class HostedSession {
  id: SessionId
  readonly timeoutMs: number
  /** When anything was heard of the client. */
  heardMs: number
  connection: Connection | undefined
  /** The member asked to serve it, and its slot there. */
  member: Sid | undefined = undefined
  readonly slot: number
  /**
   * detached: nobody serves it, and no client waits; unserved: a client waits for a member; opening, resuming: a member
   * was asked; serving; expiring: its end was proposed.
   */
  state: 'detached' | 'unserved' | 'opening' | 'resuming' | 'serving' | 'expiring' = 'detached'
  /** The newest zxid the client was told. */
  lastZxid = 0
  /** Requests that a member has and did not reply to. */
  outstanding = 0
  /** Those, and the ones that no member has yet: they are read slower where they are too many. */
  unanswered = 0
  /** About their bytes. */
  unansweredBytes = 0
  /** Frames of the client that no member has yet. */
  held: Uint8Array[] = []
  #watches: WatchRecord | undefined
  /** What its connection proved. */
  identities: readonly Identity[]
  /** Since when its end could not be proposed. */
  failingSinceMs: number | undefined = undefined
  /** It was never created: the member has still to do so. */
  isNew = false
  /** No txn made it, as far as is known here. */
  isLocal = false
  /** It asked for what may make it global, whether we hear of that or not. */
  mayBeGlobal = false
  /** Its member serves only reads. */
  isReadOnly = false
  /** A member was asked to create it and was not heard again: that may come true at any time, even after its end. */
  hasStrayOpen = false

  constructor(
    id: SessionId,
    slot: number,
    timeoutMs: number,
    heardMs: number,
    connection: Connection | undefined,
  ) {
    this.id = id
    this.slot = slot
    this.timeoutMs = timeoutMs
    this.heardMs = heardMs
    this.connection = connection
    this.identities = connection?.identities ?? []
  }

  /** Kept only for connections that survive: of the others there are very many. */
  get watches(): WatchRecord {
    return (this.#watches ??= new WatchRecord())
  }

  /** When its time is over. Rounded up to a tick, as ZooKeeper's expiry buckets are. */
  deadlineMs(tickTimeMs: number): number {
    return (Math.floor((this.heardMs + this.timeoutMs) / tickTimeMs) + 1) * tickTimeMs
  }
}
