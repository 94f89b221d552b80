/**
 * Who is told what, once. A watch belongs to an attached session, a path and a kind; setting it twice is setting it
 * once. The index lives in memory: the session's actor brings it back after a member's restart.
 */
import type { TreeEvent } from '../tree/events.ts'
import { eventTypes } from '../wire/opcodes.ts'

/** A session's own list of its watches, kept with the session so that it can be dropped with it. */
export interface WatchHolder {
  readonly dataWatches: Set<string>
  readonly childWatches: Set<string>
}

export class Watches<Holder extends WatchHolder> {
  readonly #data = new Map<string, Set<Holder>>()
  readonly #child = new Map<string, Set<Holder>>()

  /** Told once of creation, change or deletion of `path`. */
  watchData(holder: Holder, path: string): void {
    if (holder.dataWatches.has(path)) return
    holder.dataWatches.add(path)
    add(this.#data, path, holder)
  }

  /** Told once when a child of `path` comes or goes, or `path` itself is deleted. */
  watchChildren(holder: Holder, path: string): void {
    if (holder.childWatches.has(path)) return
    holder.childWatches.add(path)
    add(this.#child, path, holder)
  }

  /** Forgets all watches of a session that was detached. */
  drop(holder: Holder): void {
    for (const path of holder.dataWatches) remove(this.#data, path, holder)
    for (const path of holder.childWatches) remove(this.#child, path, holder)
    holder.dataWatches.clear()
    holder.childWatches.clear()
  }

  /** The sessions that must hear of an event, each once; their watches are used up. */
  fire(event: TreeEvent): ReadonlySet<Holder> {
    const { type, path } = event
    if (type === eventTypes.childrenChanged) return this.#takeChild(path)
    if (type !== eventTypes.deleted) return this.#takeData(path)
    const both = this.#takeData(path)
    const child = this.#takeChild(path)
    if (child.size === 0) return both
    return new Set([...both, ...child])
  }

  /** Number of watches, one per session, path and kind. */
  get count(): number {
    let count = 0
    for (const holders of this.#data.values()) count += holders.size
    for (const holders of this.#child.values()) count += holders.size
    return count
  }

  #takeData(path: string): ReadonlySet<Holder> {
    const holders = this.#data.get(path)
    if (holders === undefined) return nobody as ReadonlySet<Holder>
    this.#data.delete(path)
    for (const holder of holders) holder.dataWatches.delete(path)
    return holders
  }

  #takeChild(path: string): ReadonlySet<Holder> {
    const holders = this.#child.get(path)
    if (holders === undefined) return nobody as ReadonlySet<Holder>
    this.#child.delete(path)
    for (const holder of holders) holder.childWatches.delete(path)
    return holders
  }
}

const nobody: ReadonlySet<never> = new Set()

function add<H>(index: Map<string, Set<H>>, path: string, holder: H): void {
  const holders = index.get(path)
  if (holders === undefined) index.set(path, new Set([holder]))
  else holders.add(holder)
}

function remove<H>(index: Map<string, Set<H>>, path: string, holder: H): void {
  const holders = index.get(path)
  if (holders === undefined) return
  holders.delete(holder)
  if (holders.size === 0) index.delete(path)
}
