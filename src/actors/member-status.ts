/** What a member tells about itself. */
import type { Replica } from '../core/replica.ts'
import { isStandalone } from '../core/request/prepare-reconfig.ts'
import type { DeskCounters } from '../core/session/desk/replies.ts'
import type { Settings } from '../core/shared/settings.ts'
import { showZxid } from '../core/shared/units.ts'
import type { DamageNote, MemberStore } from './member-store.ts'

export interface MemberStatus {
  readonly sid: number
  /** Where it runs, in a cluster. */
  readonly instance: number | undefined
  readonly role: Role
  readonly state: string
  readonly epoch: number
  readonly zxid: string
  readonly isServing: boolean
  /** It serves reads, without a quorum. */
  readonly isReadOnly: boolean
  readonly leader: number | undefined
  /** Of the configuration in force, as far as this member knows. */
  readonly members: readonly number[]
  readonly nodes: number
  readonly ephemerals: number
  readonly dataBytes: number
  readonly watches: number
  readonly connections: number
  readonly outstanding: number
  readonly received: number
  readonly sent: number
  readonly sessions: number
  readonly localSessions: number
  readonly rejectedConnections: number
  readonly digest: string
  readonly latencyMs: { readonly min: number; readonly avg: number; readonly max: number }
  readonly startedMs: number
  /** Why its disk is of no use until an operator decides. */
  readonly refusal: string | undefined
  /** What was found damaged last on its disk, whether it is mended or not. */
  readonly damage: DamageNote | undefined
  readonly storage: {
    readonly bytes: number
    readonly limitBytes: number
    /** The machine's disk has too little room, as whoever started us says. */
    readonly isDiskFull: boolean
    /** What adds is refused while this member leads. */
    readonly isFull: boolean
  }
  /** How often this member saw another one to have another tree at the same zxid. */
  readonly digestMismatches: number
  /** Of znodes in memory: of those that did not change since the checkpoint as many as the budget allows. */
  readonly cachedBytes: number
}

/** `recovering`: damage took what it had; it has everything anew before it votes. `refusing`: an operator must decide. */
type Role =
  | 'leader'
  | 'follower'
  | 'observer'
  | 'standalone'
  | 'looking'
  | 'read-only'
  | 'stopped'
  | 'recovering'
  | 'refusing'

const roleNames = { looking: 'looking', following: 'follower', observing: 'observer' } as const

/** All of it but what the actor itself knows. */
export function statusOf(
  replica: Replica,
  store: MemberStore,
  settings: Settings,
): Omit<MemberStatus, 'sid' | 'instance' | 'startedMs' | 'storage'> {
  const { zab, tree, desk } = replica
  return {
    role: roleOf(replica, store, settings),
    state: zab.phase.type,
    epoch: zab.epoch,
    zxid: showZxid(tree.applied),
    isServing: replica.isServing,
    isReadOnly: replica.isReadOnly,
    leader: zab.leader,
    members: zab.membership.active.sids,
    nodes: tree.nodeCount,
    ephemerals: tree.ephemeralCount,
    dataBytes: tree.dataBytes,
    watches: desk.watchCount,
    connections: desk.connectionCount,
    outstanding: desk.outstandingCount,
    received: desk.counters.requests,
    sent: desk.counters.replies + desk.counters.events,
    sessions: tree.sessions.size,
    localSessions: desk.localSessionCount,
    rejectedConnections: desk.rejectedCount,
    digest: tree.digest(),
    latencyMs: latencyOf(desk.counters),
    refusal: store.refusal,
    damage: store.damage,
    digestMismatches: replica.digestMismatches,
    cachedBytes: tree.cachedBytes,
  }
}

function roleOf(replica: Replica, store: MemberStore, settings: Settings): Role {
  const { zab } = replica
  if (replica.isServing) {
    if (zab.role !== 'leading') return roleNames[zab.role]
    return isStandalone(zab.membership.active, settings) ? 'standalone' : 'leader'
  }
  if (store.refusal !== undefined) return 'refusing'
  if (store.isStopped) return 'stopped'
  if (replica.isReadOnly) return 'read-only'
  return store.isRecovering ? 'recovering' : 'looking'
}

function latencyOf(counters: DeskCounters): MemberStatus['latencyMs'] {
  const { replies, latencySumMs, latencyMinMs, latencyMaxMs } = counters
  if (replies === 0) return { min: 0, avg: 0, max: 0 }
  return { min: latencyMinMs, avg: latencySumMs / replies, max: latencyMaxMs }
}
