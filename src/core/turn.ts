/**
 * The whole vocabulary of the core on one page: everything that may come in, everything that may go out.
 *
 * A step takes one input and writes one turn. What depends on something being durable is not in the turn that asks for
 * it: the core keeps it back until the shell reports `persisted`. So whatever a turn sends may leave at once, before
 * the turn's own log row is written: the disks of leader and followers work at the same time.
 */
import type { Epoch, Sid, Zxid } from './shared/units.ts'
import type { Configuration } from './zab/configuration.ts'
import type { LogBatch } from './zab/log-batch.ts'
import type { CarriedPacket, Notification, Packet } from './zab/messages.ts'

/** A link between a learner and its leader as this member numbers it; never used twice in one incarnation. */
export type LinkId = number

/** What the ensemble's own traffic may bring. */
export type PeerInput =
  /** Time passed: some deadline the core asked for may be over. */
  | { readonly type: 'wake' }
  | { readonly type: 'note'; readonly note: Notification }
  /** A link stands: `peer` joined us (`incoming`), or let us join as we asked by `connect`. */
  | {
      readonly type: 'linked'
      readonly link: LinkId
      readonly peer: Sid
      readonly incoming: boolean
    }
  /** A link is gone or could not be made (`link` 0: the connect to `peer` failed). */
  | { readonly type: 'unlinked'; readonly link: LinkId; readonly peer: Sid }
  | { readonly type: 'packets'; readonly link: LinkId; readonly packets: readonly Packet[] }
  /** Every persist up to this number is durable. */
  | { readonly type: 'persisted'; readonly number: number }

/** What must be made durable together, in this order. A later persist never overtakes an earlier one. */
export interface Persist {
  /** Grows by one; reported back by `persisted`. */
  readonly number: number
  readonly acceptedEpoch?: Epoch
  /** Begin a staged snapshot of this zxid, dropping any older stage. */
  readonly stageBegin?: Zxid
  /** A chunk of the staged snapshot. */
  readonly stageChunk?: Uint8Array
  /** What damage had put aside goes: what follows is a leader's whole history. */
  readonly recovered?: true
  /** The staged snapshot replaces the tree, and the log before it is dropped. */
  readonly install?: Zxid
  /** Drop every logged txn above this zxid. */
  readonly truncate?: Zxid
  /** Log these, one row each. */
  readonly append?: readonly LogBatch[]
  readonly currentEpoch?: Epoch
  /** The configuration known to be in force. */
  readonly configuration?: Configuration
}

/** What one step asks of the world, written by zab and by the replica. */
export interface Turn {
  /** Packets in order, per link. They may leave before `persist`. */
  readonly send: { readonly link: LinkId; readonly packet: Packet }[]
  readonly notes: { readonly to: Sid; readonly note: Notification }[]
  readonly persist: Persist[]
  /** Everything up to here became known as committed: apply it, answer who waits for it. */
  committed: Zxid | undefined
  /** The staged snapshot was installed and is durable: the tree starts anew from it. */
  installed: Zxid | undefined
  /** The member began or stopped to serve in this turn. */
  serving: boolean | undefined
  /** Packets of links for the replica, in order (`request`, `revalidate`, `revalidated`, `sync`, `synced`). */
  readonly received: {
    readonly link: LinkId
    readonly peer: Sid
    readonly packet: CarriedPacket
  }[]
  /** Open a link to this leader. */
  connect: Sid | undefined
  readonly disconnect: LinkId[]
  /** For people: what happened and why, one line each. */
  readonly log: string[]
}

export const newTurn = (): Turn => ({
  send: [],
  notes: [],
  persist: [],
  committed: undefined,
  installed: undefined,
  serving: undefined,
  received: [],
  connect: undefined,
  disconnect: [],
  log: [],
})
