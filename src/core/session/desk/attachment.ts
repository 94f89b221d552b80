/** A session as the member that serves it sees it: its place on an edge, its queue, its watches. */
import type { Identity } from '../../tree/acl.ts'
import { hostOf } from '../../tree/address.ts'
import { TransitMap } from '../../shared/transit-map.ts'
import { asSessionId, type SessionId } from '../../shared/units.ts'
import type { Outcome } from '../../tree/tree.ts'
import type { TxnBody } from '../../tree/txn.ts'
import type { Operation } from '../../wire/opcodes.ts'
import type { Refusal } from '../../wire/refusals.ts'
import type { WatchHolder } from '../../watch/watches.ts'
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

/** For writes the leader's txn and its outcome; of other requests, that they are done, or why they are not. */
export type Decided =
  | { readonly body: TxnBody; readonly outcome: Outcome }
  | 'synced'
  | 'proved'
  /** A local session's close. */
  | 'closed'
  | Refused

/** What the member itself refuses, whatever the leader would say. */
export interface Refused {
  readonly refusal: Refusal
  /** Is the refusal the last word on the connection? */
  readonly isLast: boolean
}

/** A request in its session's queue: answered only once everything before it was. */
export interface Queued {
  readonly xid: number
  readonly operation: Operation | undefined
  /** The request's body stands behind eight bytes of header. */
  readonly frame: Uint8Array
  /** What was decided; undefined: nothing yet, or nothing but the tree need be asked. */
  decided: Decided | undefined
  /** Under which the leader's answer comes back; 0 while it is not asked. */
  number: number
  /** What its client had proved when it came in. */
  readonly identities: readonly Identity[]
  /** When it came in. */
  readonly atMs: number
  /** The leader must decide first. */
  readonly needsLeader: boolean
}

/** What a session actor says of a client. */
interface Asked {
  readonly slot: number
  readonly session: bigint
  readonly timeoutMs: number
  readonly address: string
  readonly identities: readonly Identity[]
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
  readonly dataWatches = new TransitMap<string, number>()
  readonly childWatches = new TransitMap<string, number>()
  /** What the client has by its address, and what it proved. */
  identities: readonly Identity[]
  /** Watches to arm once the leader has said that the session lives. */
  resuming: AskedWatches[] | undefined
  /** ms; a local session is made global with it. */
  readonly timeoutMs: number
  /** No txn made the session. */
  isLocal = false
  /** Frames are ignored from now on. */
  isOver = false
  /** Its last word waits in the queue: what comes behind is ignored too. */
  isEnding = false

  constructor(edge: Edge, number: number, { slot, session, timeoutMs, address, ...asked }: Asked) {
    this.edge = edge
    this.slot = slot
    this.session = asSessionId(session)
    this.number = number
    this.timeoutMs = timeoutMs
    this.address = address
    const own = address === '' ? [] : [{ scheme: 'ip', id: hostOf(address) }]
    this.identities = [...own, ...asked.identities]
  }
}
