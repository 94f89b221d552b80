/** A session as the member that serves it sees it: its place on an edge, its queue, its watches. */
import type { Identity } from '../tree/acl.ts'
import { hostOf } from '../tree/address.ts'
import type { SessionId } from '../shared/units.ts'
import type { Outcome } from '../tree/tree.ts'
import type { TxnBody } from '../tree/txn.ts'
import type { Operation } from '../wire/opcodes.ts'
import type { WatchHolder } from '../watch/watches.ts'
import type { EdgeOutbox } from './edge-outbox.ts'
import type { AskedWatches } from './rearm.ts'

/** A session actor's end at this member. */
export interface Edge {
  readonly id: number
  readonly outbox: EdgeOutbox
  readonly slots: Map<number, Attachment>
  /** Answers this member still owes the actor. */
  owed: number
}

/** A request in its session's queue: answered only once everything before it was. */
export interface Queued {
  readonly xid: number
  readonly operation: Operation | undefined
  /** The request's body stands behind eight bytes of header. */
  readonly frame: Uint8Array
  /** What was decided: for writes the leader's txn and its outcome, that a sync is done, whether an auth packet held. */
  decided:
    | { readonly body: TxnBody; readonly outcome: Outcome }
    | 'synced'
    | 'proved'
    | 'notProved'
    | undefined
  /** Under which the leader's answer comes back; 0 while it is not asked. */
  number: number
  /** What its client had proved when it came in. */
  readonly identities: readonly Identity[]
  /** When it came in. */
  readonly atMs: number
  /** The leader must decide first. */
  readonly needsLeader: boolean
}

export class Attachment implements WatchHolder {
  readonly edge: Edge
  readonly slot: number
  readonly session: SessionId
  /** Grows with every attachment this member makes: the leader refuses requests of an older one. */
  readonly number: number
  /** Of the client. */
  readonly address: string
  received = 0
  sent = 0
  readonly queue: Queued[] = []
  readonly dataWatches = new Map<string, number>()
  readonly childWatches = new Map<string, number>()
  /** What the client has by its address, and what it proved. */
  identities: readonly Identity[]
  /** Watches to arm once the leader has said that the session lives. */
  resuming: AskedWatches[] | undefined
  /** Frames are ignored from now on. */
  isOver = false
  /** Its last word waits in the queue: what comes behind is ignored too. */
  isEnding = false

  constructor(edge: Edge, slot: number, session: SessionId, number: number, address: string) {
    this.edge = edge
    this.slot = slot
    this.session = session
    this.number = number
    this.address = address
    this.identities = address === '' ? [] : [{ scheme: 'ip', id: hostOf(address) }]
  }
}
