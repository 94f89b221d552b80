/**
 * The znodes in memory: all that changed since the checkpoint, and as many of the others as the budget allows. The rest
 * stays in the checkpoint's rows, so that a member wakes without reading its tree and a tree may exceed its memory.
 */
import { sound } from '../shared/damage.ts'
import { childOf, nameOf, parentOf } from './path.ts'
import { type RowChange, rooms, type RowTable } from './row-table.ts'
import { bytesOf, type Znode, znodeFromRow, znodeToRow } from './znode.ts'

/** A node in memory with what is known of its children's names. */
interface Cached extends Znode {
  /** All names, once somebody asked for them. */
  names: Set<string> | undefined
  /** Names added (true) and removed (false) since the checkpoint, while `names` is not loaded. */
  nameChanges: Map<string, boolean> | undefined
  /** Used since the sweep last came by. */
  touched: boolean
  /** The checkpoint has no row of it. */
  isNew: boolean
}

export class NodeCache {
  readonly #table: RowTable
  readonly #budgetBytes: number
  readonly #nodes = new Map<string, Cached>()
  /** Paths created, changed or deleted since the checkpoint. */
  #dirty = new Set<string>()
  /** Of those the created and the deleted. */
  #cameOrWent = 0
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

  /** Nodes created or deleted since the checkpoint: rows that must be written, however long that is put off. */
  get cameOrWentCount(): number {
    return this.#cameOrWent
  }

  /** The node at `path`, to be read only. */
  get(path: string): Cached | undefined {
    const node = this.#nodes.get(path)
    if (node !== undefined) {
      node.touched = true
      return node
    }
    if (this.#complete || this.#dirty.has(path)) return undefined
    return this.#load(path)
  }

  /** Says that `node`, which stands at `path`, was changed: it stays in memory until the next checkpoint. */
  change(path: string, node: Cached): void {
    this.#dirty.add(path)
    if (!this.#nodes.has(path)) this.#keep(path, node)
  }

  add(path: string, node: Znode): void {
    // One that was deleted since the checkpoint has a row there still.
    const isNew = !this.#dirty.has(path)
    this.#cameOrWent += isNew ? 1 : -1
    this.#dirty.add(path)
    const cached = { ...node, names: new Set<string>(), nameChanges: undefined }
    this.#keep(path, { ...cached, touched: true, isNew })
  }

  remove(path: string, node: Cached): void {
    // Who came and went between two checkpoints was never there.
    if (node.isNew) this.#dirty.delete(path)
    else this.#dirty.add(path)
    this.#cameOrWent += node.isNew ? -1 : 1
    if (this.#nodes.delete(path)) this.#bytes -= bytesOf(path, node)
  }

  /** Data replaced: the budget must know. */
  resized(by: number): void {
    this.#bytes += by
  }

  addName(parent: Cached, name: string): void {
    if (parent.names !== undefined) parent.names.add(name)
    else (parent.nameChanges ??= new Map()).set(name, true)
  }

  removeName(parent: Cached, name: string): void {
    if (parent.names !== undefined) parent.names.delete(name)
    else (parent.nameChanges ??= new Map()).set(name, false)
  }

  /** The names of a node's children, in no order. */
  names(path: string, node: Cached): ReadonlySet<string> {
    if (node.names !== undefined) return node.names
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

  /** A node and everything below it, each with its path. By a list and not by recursion: clients make paths as deep as they like. */
  *subtree(top: string): Generator<{ readonly path: string; readonly node: Cached }> {
    const left = [top]
    for (let path = left.pop(); path !== undefined; path = left.pop()) {
      const node = this.get(path)
      if (node === undefined) continue
      yield { path, node }
      for (const name of this.names(path, node)) left.push(childOf(path, name))
    }
  }

  /** The rows that bring the checkpoint up to the present. */
  changedRows(): RowChange[] {
    const rows: RowChange[] = []
    for (const path of this.#dirty) {
      const node = this.#nodes.get(path)
      rows.push({ ...rowKeyOf(path), value: node === undefined ? null : znodeToRow(node) })
    }
    return rows
  }

  /** The changed rows are in the checkpoint: nothing is dirty, and what exceeds the budget may go. */
  checkpointed(): void {
    for (const path of this.#dirty) {
      const parent = this.#nodes.get(path === '/' ? '/' : parentOf(path))
      if (parent !== undefined) parent.nameChanges = undefined
      const node = this.#nodes.get(path)
      if (node !== undefined) node.isNew = false
    }
    this.#dirty = new Set()
    this.#cameOrWent = 0
    if (this.#bytes > this.#budgetBytes) this.#sweep()
  }

  /** Drops nodes that nobody asked for since the last sweep, until a quarter of the budget is free. */
  #sweep(): void {
    const target = this.#budgetBytes * 0.75
    for (let round = 0; round < 2 && this.#bytes > target; round++) {
      for (const [path, node] of this.#nodes) {
        if (this.#bytes <= target) break
        if (node.touched) {
          node.touched = false
        } else {
          this.#nodes.delete(path)
          this.#bytes -= bytesOf(path, node)
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
    const node = {
      ...znodeFromRow(row.slice()),
      names: undefined,
      nameChanges: undefined,
      touched: true,
      isNew: false,
    }
    this.#keep(path, node)
    // Reads alone may fill the memory, and clean nodes may go at any time.
    if (this.#bytes > this.#budgetBytes && this.#dirty.size === 0) this.#sweep()
    return node
  }

  #keep(path: string, node: Cached): void {
    this.#nodes.set(path, node)
    this.#bytes += bytesOf(path, node)
  }
}

export type CachedNode = Cached

export function rowKeyOf(path: string): { room: number; key: string; name: string } {
  if (path === '/') return { room: rooms.znode, key: '', name: '' }
  return { room: rooms.znode, key: parentOf(path), name: nameOf(path) }
}
