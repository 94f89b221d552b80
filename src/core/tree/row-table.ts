/**
 * The checkpoint as the tree sees it: rows of bytes under (room, key, name), in that order. The tree reads them one by
 * one; a snapshot for a learner is simply all of them.
 */
export const rooms = {
  /** key: the parent's path, name: the node's; the root is ('', ''). */
  znode: 0,
  /** key: owning session id in hex, name: path. */
  ephemeral: 1,
  /** key: '', name: session id in hex. */
  session: 2,
  /** ('', ''): zxid, digest and counts of the whole. */
  totals: 3,
} as const

export interface RowKey {
  readonly room: number
  readonly key: string
  readonly name: string
}

export interface Row extends RowKey {
  readonly value: Uint8Array
}

/** A row written, or removed where the value is null. */
export interface RowChange extends RowKey {
  readonly value: Uint8Array | null
}

/** A row of the next checkpoint, written before that is. */
export interface EarlyRow extends RowChange {
  /** The checkpoint has no row there. */
  readonly isNew: boolean
}

/** Reads of a checkpoint, all synchronous. Early rows are none of it. */
export interface RowTable {
  get(room: number, key: string, name: string): Uint8Array | undefined
  /** The names under a key. */
  names(room: number, key: string): string[]
  /** The rows after `after` in order, until about `bytesMax` bytes; empty at the end. */
  page(after: RowKey | undefined, bytesMax: number): Row[]
}

/** As SQLite compares: paths have no characters of which UTF-16 and UTF-8 think differently. */
export const inOrder = (a: RowKey, b: RowKey): number =>
  a.room - b.room || compare(a.key, b.key) || compare(a.name, b.name)
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
