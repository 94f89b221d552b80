/** What is kept of a session whose socket outlives its actor's memory: written when all is at rest, read when it wakes. */
import { asSid } from '../../shared/units.ts'
import type { Identity } from '../../tree/acl.ts'
import type { HostedSession } from './hosted.ts'

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

/** Undefined: it would not outlive the memory, or is not at rest. */
export function survivorOf(session: HostedSession): Survivor | undefined {
  const { connection, member, watches } = session
  if (connection?.survives !== true || session.state !== 'serving') return undefined
  // At rest a request without its reply has lost it: its client must be told by the end of the connection.
  if (session.outstanding > 0) return undefined
  return {
    connection: connection.id,
    session: session.id,
    timeoutMs: session.timeoutMs,
    heardMs: session.heardMs,
    pinned: connection.pinned ?? 0,
    address: connection.address,
    member: member ?? 0,
    slot: session.slot,
    lastZxid: session.lastZxid,
    ...watches.lists,
    identities: session.identities,
    canBeReadOnly: connection.canBeReadOnly,
    isLocal: session.isLocal,
    mayBeGlobal: session.mayBeGlobal,
    isReadOnly: session.isReadOnly,
  }
}

/** Makes a session anew what it was when `row` was written. */
export function restore(session: HostedSession, row: Survivor): void {
  session.heardMs = row.heardMs
  session.member = asSid(row.member)
  session.state = 'serving'
  session.lastZxid = row.lastZxid
  for (const path of row.dataWatches) session.watches.data.add(path)
  for (const path of row.existWatches) session.watches.exist.add(path)
  for (const path of row.childWatches) session.watches.child.add(path)
  for (const path of row.persistentWatches) session.watches.persistent.add(path)
  for (const path of row.persistentRecursiveWatches) session.watches.recursive.add(path)
  session.isLocal = row.isLocal
  session.mayBeGlobal = row.mayBeGlobal
  session.isReadOnly = row.isReadOnly
}
