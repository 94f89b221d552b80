/** What the client's operations take and answer, where it is more than a path. */
import type { Stat } from '../core/jute/records.ts'
import type { addWatchModes } from '../core/wire/opcodes.ts'
import type { WatchListener } from './watch.ts'

/** What `reconfig` is to change. */
export interface MemberChange {
  readonly joining?: readonly string[]
  readonly leaving?: readonly number[]
  /** All members, and groups and weights if there shall be some: instead of the two above. */
  readonly members?: readonly string[]
  /** Of the present list, `stat.mzxid`: of another one nothing is changed. */
  readonly version?: number
}

/** A node's data and stat. `data` is null where null was stored. */
export interface Value {
  readonly data: Uint8Array | null
  readonly stat: Stat
}

export interface Children {
  /** Names, not paths, in no order. */
  readonly children: readonly string[]
  /** Of the parent. */
  readonly stat: Stat
}

export interface ReadOptions {
  /** Told once of the next change of what was read. The watch outlives links, not the session. */
  readonly watch?: WatchListener
}

export interface VersionOption {
  /** The version the node must have, else BadVersion. Default −1: any. */
  readonly version?: number
}

/** Of what a watch of `addWatch` tells: all about one node, or creation, change and deletion of it and all below it. */
export type WatchMode = keyof typeof addWatchModes

/** Who a client is to the server. */
export interface Identity {
  readonly scheme: string
  /** Of a digest the user's name, of an address the address. */
  readonly user: string
}
