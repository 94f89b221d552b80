/** A session and a connection as their actor sees them. */
import type { SessionId, Sid } from '../shared/units.ts'
import type { Identity } from '../tree/acl.ts'
import type { WatchRecord } from './watch-record.ts'

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

export interface HostedSession {
  id: SessionId
  timeoutMs: number
  /** When anything was heard of the client. */
  heardMs: number
  connection: Connection | undefined
  /** The member asked to serve it, and its slot there. */
  member: Sid | undefined
  readonly slot: number
  /**
   * detached: nobody serves it, and no client waits; unserved: a client waits for a member; opening, resuming: a member
   * was asked; serving; expiring: its end was proposed.
   */
  state: 'detached' | 'unserved' | 'opening' | 'resuming' | 'serving' | 'expiring'
  /** The newest zxid the client was told. */
  lastZxid: number
  /** Requests that a member has and did not reply to. */
  outstanding: number
  /** Those, and the ones that no member has yet: they are read slower where they are too many. */
  unanswered: number
  /** About their bytes. */
  unansweredBytes: number
  /** Frames of the client that no member has yet. */
  held: Uint8Array[]
  /** Kept only for connections that survive. */
  readonly watches: WatchRecord
  /** What its connection proved. */
  identities: readonly Identity[]
  /** Since when its end could not be proposed. */
  failingSinceMs: number | undefined
  /** It was never created: the member has still to do so. */
  isNew: boolean
  /** No txn made it, as far as is known here. */
  isLocal: boolean
  /** It asked for what may make it global, whether we hear of that or not. */
  mayBeGlobal: boolean
  /** Its member serves only reads. */
  isReadOnly: boolean
  /** A member was asked to create it and was not heard again: that may come true at any time, even after its end. */
  hasStrayOpen: boolean
}

/** What is kept of a session whose socket hibernates. */
export interface Survivor {
  readonly connection: number
  readonly session: bigint
  readonly timeoutMs: number
  readonly heardMs: number
  readonly pinned: number
  readonly address: string
  readonly member: number
  readonly slot: number
  readonly lastZxid: number
  readonly dataWatches: readonly string[]
  readonly existWatches: readonly string[]
  readonly childWatches: readonly string[]
  readonly persistentWatches: readonly string[]
  readonly persistentRecursiveWatches: readonly string[]
  readonly identities: readonly Identity[]
  readonly canBeReadOnly: boolean
  readonly isLocal: boolean
  readonly mayBeGlobal: boolean
  readonly isReadOnly: boolean
}
