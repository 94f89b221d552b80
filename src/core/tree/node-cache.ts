/**
 * The znodes in memory: all that changed since the checkpoint, and as many of the others as the budget allows. The rest
 * stays in the checkpoint's rows, so that a member wakes without reading its tree and a tree may exceed its memory.
 */
import { TransitMap } from '../shared/transit-map.ts'
import { sound } from '../shared/damage.ts'
import { childOf, nameOf, parentOf } from './path.ts'
import { type Row, type RowChange, type RowKey, rooms, type RowTable } from './row-table.ts'
import type { Slice } from './slice.ts'
import { bytesOf, type Znode, znodeFromRow, znodeToRow } from './znode.ts'

/** A node in memory with what is known of its children's names. */
interface Cached extends Znode {
  readonly path: string
  /** All names, once somebody asked for them. */
  names: Set<string> | undefined
  /** Names added (true) and removed (false) since the checkpoint, while `names` is not loaded. */
  nameChanges: Map<string, boolean> | undefined
  /** Used since the sweep last came by. */
  touched: boolean
  /** The checkpoint does not have it. */
  isNew: boolean
  /** It has a row: the checkpoint's, or an early one. */
  hasRow: boolean
  /** Its row, if any, is of before. */
  isDirty: boolean
  /** Its part of the tree's digest is of before. */
  isStale: boolean
  /** In memory still: neither deleted nor swept out. */
  isKept: boolean
}

/** A deleted node. */
interface Gone {
  /** The checkpoint has it still. */
  readonly inCheckpoint: boolean
  readonly hasRow: boolean
}

/** Of all that have no child yet: most never have one. */
const noNames: Set<string> = new Set()

export class NodeCache {
  readonly #table: RowTable
  readonly #budgetBytes: number
  readonly #nodes = new TransitMap<string, Cached>()
  /** New nodes without a row in the order they came, also those deleted meanwhile. */
  #fresh: Cached[] = []
  /** How many of them are there still. */
  #unwritten = 0
  /** Nodes whose row is of before, also those deleted meanwhile. */
  #dirty: Cached[] = []
  /** Nodes that have a row of the next checkpoint, also those deleted meanwhile. */
  #early: Cached[] = []
  /** Paths of deleted nodes that the checkpoint has, or that have a row. */
  #gone = new Map<string, Gone>()
  /** Those of them that had a row when they were deleted. */
  #goneRows = new Set<string>()
  #bytes = 0
  /** Every node of the tree is in memory: what is not here does not exist. */
  #complete: boolean

  constructor(table: RowTable, budgetBytes: number, complete: boolean) {
    this.#table = table
    this.#budgetBytes = budgetBytes
    this.#complete = complete
  }

  get cachedBytes(): number {
    return this.#bytes
  }

  get cachedCount(): number {
    return this.#nodes.size
  }

  /** New nodes without a row: those that are deleted before it is written never need one. */
  get unwrittenCount(): number {
    return this.#unwritten
  }

  /** Rows to be replaced or removed by the next checkpoint, about. */
  get changedCount(): number {
    return this.#dirty.length + this.#goneRows.size
  }

  /** Bytes of data in those rows. */
  get changedBytes(): number {
    let bytes = 0
    for (const nodes of [this.#fresh, this.#dirty]) {
      for (const node of nodes) if (node.isKept) bytes += node.data?.length ?? 0
    }
    return bytes
  }

  /** The node at `path`, to be read only. */
  get(path: string): Cached | undefined {
    const node = this.#nodes.get(path)
    if (node !== undefined) {
      node.touched = true
      return node
    }
    if (this.#complete || this.#gone.has(path)) return undefined
    // Whoever creates asks for what is not there: no row needs to be looked for where the names are known.
    const names = this.#nodes.get(parentOf(path))?.names
    if (names !== undefined && !names.has(nameOf(path))) return undefined
    return this.#load(path)
  }

  /** Is there a node at `path` in memory? */
  isInMemory(path: string): boolean {
    return this.#nodes.has(path)
  }

  /** Says that `node` was changed: it stays in memory until the next checkpoint. */
  change(node: Cached): void {
    if (!node.isDirty) {
      node.isDirty = true
      this.#dirty.push(node)
    }
    if (!node.isKept) this.#keep(node)
  }

  /** Takes a node that was just made. Where one was deleted since the checkpoint, a row may be there still. */
  add(node: Cached): void {
    const before = this.#gone.get(node.path)
    node.isNew = before?.inCheckpoint !== true
    node.hasRow = before?.hasRow === true
    node.isDirty = true
    this.#gone.delete(node.path)
    this.#goneRows.delete(node.path)
    if (node.isNew && !node.hasRow) {
      this.#fresh.push(node)
      this.#unwritten += 1
    } else this.#dirty.push(node)
    this.#keep(node)
  }

  /** Who came and went between two checkpoints was never there. */
  remove(node: Cached): void {
    const { path, isNew, hasRow } = node
    if (isNew && !hasRow) this.#unwritten -= 1
    else this.#gone.set(path, { inCheckpoint: !isNew, hasRow })
    if (hasRow) this.#goneRows.add(path)
    if (node.isKept) this.#drop(node)
    // Those that came and went must not stay in memory for those that stay.
    if (this.#fresh.length > 2 * this.#unwritten + 100) this.#fresh = this.#fresh.filter(isKept)
    if (this.#dirty.length > 2 * this.#nodes.size + 100) this.#dirty = this.#dirty.filter(isKept)
  }

  /** Data replaced: the budget must know. */
  resized(by: number): void {
    this.#bytes += by
  }

  addName(parent: Cached, name: string): void {
    if (parent.names === noNames) parent.names = new Set([name])
    else if (parent.names !== undefined) parent.names.add(name)
    else (parent.nameChanges ??= new Map()).set(name, true)
  }

  removeName(parent: Cached, name: string): void {
    if (parent.names !== undefined) parent.names.delete(name)
    else (parent.nameChanges ??= new Map()).set(name, false)
  }

  /** The names of a node's children, in no order. */
  names(node: Cached): ReadonlySet<string> {
    if (node.names !== undefined) return node.names
    const { path } = node
    const names = new Set(this.#table.names(rooms.znode, path))
    for (const [name, present] of node.nameChanges ?? []) {
      if (present) names.add(name)
      else names.delete(name)
    }
    sound(names.size === node.childCount, `${path} has other children than it counts`)
    node.names = names
    node.nameChanges = undefined
    return names
  }

  /** A node and everything below it. By a list and not by recursion: clients make paths as deep as they like. */
  *subtree(top: string): Generator<Cached> {
    const left = [top]
    for (let path = left.pop(); path !== undefined; path = left.pop()) {
      const node = this.get(path)
      if (node === undefined) continue
      yield node
      for (const name of this.names(node)) left.push(childOf(path, name))
    }
  }

  /**
   * Fills the slice with rows to be written before the checkpoint they belong to, those of new nodes first and the oldest of
   * them: what is left to it keeps nobody waiting for long, and is written in one piece.
   */
  takeEarly(slice: Slice): void {
    let taken = 0
    for (; taken < this.#fresh.length; taken++) {
      const node = this.#fresh[taken] as Cached
      if (!node.isKept) continue
      if (!slice.add(rowOf(node), true)) break
      this.#unwritten -= 1
      this.#wroteEarly(node)
    }
    this.#fresh.splice(0, taken)
    for (taken = 0; taken < this.#dirty.length; taken++) {
      const node = this.#dirty[taken] as Cached
      if (!node.isKept) continue
      if (!slice.add(rowOf(node), node.isNew)) break
      this.#wroteEarly(node)
    }
    this.#dirty.splice(0, taken)
    for (const path of this.#goneRows) {
      const gone = this.#gone.get(path)
      if (gone !== undefined && !slice.add({ ...rowKeyOf(path), value: null }, !gone.inCheckpoint))
        break
      this.#goneRows.delete(path)
      if (gone === undefined) continue
      // A path that the checkpoint has must not be looked for there.
      if (gone.inCheckpoint) this.#gone.set(path, { inCheckpoint: true, hasRow: false })
      else this.#gone.delete(path)
    }
  }

  /** The rows that bring the checkpoint up to the present. */
  changedRows(): RowChange[] {
    const rows: RowChange[] = []
    for (const nodes of [this.#fresh, this.#dirty]) {
      for (const node of nodes) if (node.isKept) rows.push(rowOf(node))
    }
    for (const path of this.#goneRows) rows.push({ ...rowKeyOf(path), value: null })
    return rows
  }

  /** The changed rows are in the checkpoint: nothing is dirty, and what exceeds the budget may go. */
  checkpointed(): void {
    for (const nodes of [this.#fresh, this.#early, this.#dirty]) {
      for (const node of nodes) {
        node.isNew = false
        node.hasRow = true
        node.isDirty = false
        node.nameChanges = undefined
      }
    }
    this.#fresh = []
    this.#unwritten = 0
    this.#early = []
    this.#dirty = []
    this.#gone = new Map()
    this.#goneRows = new Set()
    if (this.#bytes > this.#budgetBytes) this.#sweep()
  }

  #wroteEarly(node: Cached): void {
    node.isDirty = false
    node.hasRow = true
    this.#early.push(node)
  }

  /** Drops nodes that nobody asked for since the last sweep, until a quarter of the budget is free. */
  #sweep(): void {
    const target = this.#budgetBytes * 0.75
    for (let round = 0; round < 2 && this.#bytes > target; round++) {
      for (const node of this.#nodes.values()) {
        if (this.#bytes <= target) break
        if (node.touched) {
          node.touched = false
        } else {
          this.#drop(node)
          this.#complete = false
        }
      }
    }
  }

  #load(path: string): Cached | undefined {
    const { room, key, name } = rowKeyOf(path)
    // Whoever asks for `a` or `//a` must not be given the row of `/a`.
    if (path !== '/' && childOf(key, name) !== path) return undefined
    const row = this.#table.get(room, key, name)
    if (row === undefined) return undefined
    // A row may be a view of a larger page; the node lives longer.
    const node = cachedOf(path, znodeFromRow(row.slice()), undefined)
    node.hasRow = true
    this.#keep(node)
    // Reads alone may fill the memory, and clean nodes may go at any time.
    if (this.#bytes > this.#budgetBytes && this.#isCheckpointed) this.#sweep()
    return node
  }

  /** Does the checkpoint have all that is here? */
  get #isCheckpointed(): boolean {
    const changed = this.#fresh.length + this.#early.length + this.#dirty.length + this.#gone.size
    return changed === 0
  }

  #keep(node: Cached): void {
    node.isKept = true
    this.#nodes.set(node.path, node)
    this.#bytes += bytesOf(node.path, node)
  }

  #drop(node: Cached): void {
    node.isKept = false
    this.#nodes.delete(node.path)
    this.#bytes -= bytesOf(node.path, node)
  }
}

export type CachedNode = Cached

/** A node that nobody had before: it has no children. */
export const newNode = (path: string, node: Znode): CachedNode => cachedOf(path, node, noNames)

/** Field by field: nodes of one shape are cheap to make and to look at. */
const cachedOf = (path: string, node: Znode, names: Set<string> | undefined): Cached => ({
  data: node.data,
  acl: node.acl,
  czxid: node.czxid,
  mzxid: node.mzxid,
  pzxid: node.pzxid,
  ctime: node.ctime,
  mtime: node.mtime,
  version: node.version,
  creations: node.creations,
  aversion: node.aversion,
  owner: node.owner,
  childCount: node.childCount,
  digest: node.digest,
  path,
  names,
  nameChanges: undefined,
  touched: true,
  isNew: false,
  hasRow: false,
  isDirty: false,
  isStale: false,
  isKept: false,
})

const isKept = (node: Cached): boolean => node.isKept

const rowOf = (node: Cached): Row => ({ ...rowKeyOf(node.path), value: znodeToRow(node) })

export function rowKeyOf(path: string): RowKey {
  if (path === '/') return { room: rooms.znode, key: '', name: '' }
  return { room: rooms.znode, key: parentOf(path), name: nameOf(path) }
}
