/**
 * Who is told what. A watch belongs to an attached session, a path, a table (data or child) and a mode; setting it twice is
 * setting it once, and the modes of one path live side by side (WatchManager of 3.9). The index lives in memory: the
 * session's actor brings it back after a member's restart.
 */
import { TransitMap } from '../shared/transit-map.ts'
import { parentOf } from '../tree/path.ts'
import type { TreeEvent } from '../tree/events.ts'
import { eventTypes, watcherTypes } from '../wire/opcodes.ts'

/** Told once; told always; told always of the whole subtree. */
export const modes = { standard: 1, persistent: 2, recursive: 4 } as const
const anyMode = 7

/** A session's own list of its watches, path → modes, kept with the session so that it can be dropped with it. */
export interface WatchHolder {
  readonly dataWatches: TransitMap<string, number>
  readonly childWatches: TransitMap<string, number>
}

export class Watches<Holder extends WatchHolder> {
  readonly #data = new TransitMap<string, Set<Holder>>()
  readonly #child = new TransitMap<string, Set<Holder>>()
  /** While there are none, no event has to look at its ancestors. */
  #recursiveCount = 0

  /** Told once of creation, change or deletion of `path`. */
  watchData(holder: Holder, path: string): void {
    this.#add(this.#data, holder, holder.dataWatches, path, modes.standard)
  }

  /** Told once when a child of `path` comes or goes, or `path` itself is deleted. */
  watchChildren(holder: Holder, path: string): void {
    this.#add(this.#child, holder, holder.childWatches, path, modes.standard)
  }

  /** Told of everything about `path`, until it is removed. */
  watchAlways(holder: Holder, path: string): void {
    this.#add(this.#data, holder, holder.dataWatches, path, modes.persistent)
    this.#add(this.#child, holder, holder.childWatches, path, modes.persistent)
  }

  /** Told of creation, change and deletion of `path` and all below it, until it is removed. */
  watchSubtree(holder: Holder, path: string): void {
    this.#add(this.#data, holder, holder.dataWatches, path, modes.recursive)
  }

  /** Has the session a watch of this WatcherType? */
  has(holder: Holder, path: string, type: number): boolean {
    const { data, child } = modesOfType(type)
    return (
      ((holder.dataWatches.get(path) ?? 0) & data) !== 0 ||
      ((holder.childWatches.get(path) ?? 0) & child) !== 0
    )
  }

  /** Removes the session's watches of this WatcherType; was there one? */
  remove(holder: Holder, path: string, type: number): boolean {
    const { data, child } = modesOfType(type)
    const ofData = this.#take(this.#data, holder, holder.dataWatches, path, data)
    const ofChild = this.#take(this.#child, holder, holder.childWatches, path, child)
    return ofData || ofChild
  }

  /** Forgets all watches of a session that was detached. */
  drop(holder: Holder): void {
    for (const path of holder.dataWatches.keys()) {
      this.#take(this.#data, holder, holder.dataWatches, path, anyMode)
    }
    for (const path of holder.childWatches.keys()) {
      this.#take(this.#child, holder, holder.childWatches, path, anyMode)
    }
  }

  /** The sessions that must hear of an event, each once; watches that are told once are used up. */
  fire({ type, path }: TreeEvent): ReadonlySet<Holder> {
    if (type === eventTypes.childrenChanged) return this.#fireChild(path)
    const told = this.#fireData(path)
    if (type !== eventTypes.deleted) return told
    const ofChild = this.#fireChild(path)
    return ofChild.size === 0 ? told : new Set([...told, ...ofChild])
  }

  /** Number of watches, one per session, path and table. */
  get count(): number {
    let count = 0
    for (const holders of this.#data.values()) count += holders.size
    for (const holders of this.#child.values()) count += holders.size
    return count
  }

  #fireData(path: string): ReadonlySet<Holder> {
    const holders = this.#data.get(path)
    if (holders === undefined && this.#recursiveCount === 0) return nobody as ReadonlySet<Holder>
    const told = new Set(holders)
    for (const holder of told) {
      this.#take(this.#data, holder, holder.dataWatches, path, modes.standard)
    }
    if (this.#recursiveCount > 0) this.#addAncestors(told, path)
    return told
  }

  #fireChild(path: string): ReadonlySet<Holder> {
    const holders = this.#child.get(path)
    if (holders === undefined) return nobody as ReadonlySet<Holder>
    const told = new Set(holders)
    for (const holder of told) {
      this.#take(this.#child, holder, holder.childWatches, path, modes.standard)
    }
    return told
  }

  #addAncestors(told: Set<Holder>, path: string): void {
    for (let at = path; at !== '/';) {
      at = parentOf(at)
      for (const holder of this.#data.get(at) ?? []) {
        if (((holder.dataWatches.get(at) ?? 0) & modes.recursive) !== 0) told.add(holder)
      }
    }
  }

  #add(
    index: TransitMap<string, Set<Holder>>,
    holder: Holder,
    own: TransitMap<string, number>,
    path: string,
    mode: number,
  ): void {
    const before = own.get(path) ?? 0
    if ((before & mode) !== 0) return
    own.set(path, before | mode)
    if (mode === modes.recursive) this.#recursiveCount += 1
    const holders = index.get(path)
    if (holders === undefined) index.set(path, new Set([holder]))
    else holders.add(holder)
  }

  /** Takes modes away; was one of them there? */
  #take(
    index: TransitMap<string, Set<Holder>>,
    holder: Holder,
    own: TransitMap<string, number>,
    path: string,
    mode: number,
  ): boolean {
    const before = own.get(path) ?? 0
    if ((before & mode) === 0) return false
    if ((before & mode & modes.recursive) !== 0) this.#recursiveCount -= 1
    const left = before & ~mode
    if (left !== 0) {
      own.set(path, left)
      return true
    }
    own.delete(path)
    const holders = index.get(path)
    holders?.delete(holder)
    if (holders?.size === 0) index.delete(path)
    return true
  }
}

const nobody: ReadonlySet<never> = new Set()

function modesOfType(type: number): { readonly data: number; readonly child: number } {
  switch (type) {
    case watcherTypes.children:
      return { data: 0, child: modes.standard }
    case watcherTypes.data:
      return { data: modes.standard, child: 0 }
    case watcherTypes.any:
      return { data: anyMode, child: anyMode }
    case watcherTypes.persistent:
      return { data: modes.persistent, child: modes.persistent }
    default:
      return { data: modes.recursive, child: 0 }
  }
}
