/** The watches a client has armed: who is told what. */
import { SetWatches2 } from '../core/jute/records.ts'
import type { Decoded } from '../core/jute/codec.ts'
import { type EventType, eventTypes, type watcherTypes } from '../core/wire/opcodes.ts'

/**
 * `created`, `deleted`, `dataChanged`, `childrenChanged`: what happened to the node at `path`.
 * `sessionEnded`: the session expired or was closed; this watch will never fire.
 * `removed`: the watch was taken off by `removeWatches`.
 * `resumed`, to watches of `addWatch` only: the link was lost and found again. The watch is armed, but what changed in
 * between was told to nobody: who must know reads again.
 */
export interface WatchEvent {
  readonly type: keyof typeof kindsTaken | 'sessionEnded' | 'removed' | 'resumed'
  readonly path: string
}

/** The same function armed twice for one event is told once. */
export type WatchListener = (event: WatchEvent) => void

/**
 * Told once, then forgotten: `data`, of a node that was there; `exist`, of one that was not; `child`, of a node's list of
 * children. Told until removed: `persistent`, of all about one node; `recursive`, of a node and all below it.
 */
export type WatchKind = 'data' | 'exist' | 'child' | 'persistent' | 'recursive'

/** Which watches of a path are meant: ZooKeeper's WatcherType. `data` are those of `get` and `exists`. */
export type WatcherType = keyof typeof watcherTypes

/** Path bytes a setWatches may carry: ZooKeeper's own client stays below 128 KiB, far from any server's frame limit. */
export const setWatchesBytesMax = 128 * 1024

/** Which watches of a path an event uses up. */
const kindsTaken = {
  created: ['data', 'exist'],
  dataChanged: ['data', 'exist'],
  deleted: ['data', 'exist', 'child'],
  childrenChanged: ['child'],
} as const satisfies Record<string, readonly WatchKind[]>

const kindsOfType = {
  children: ['child'],
  data: ['data', 'exist'],
  any: ['data', 'exist', 'child', 'persistent', 'recursive'],
  persistent: ['persistent'],
  persistentRecursive: ['recursive'],
} as const satisfies Record<WatcherType, readonly WatchKind[]>

const typeNames = new Map<EventType, keyof typeof kindsTaken>([
  [eventTypes.created, 'created'],
  [eventTypes.deleted, 'deleted'],
  [eventTypes.dataChanged, 'dataChanged'],
  [eventTypes.childrenChanged, 'childrenChanged'],
])

export class Watches {
  readonly #armed: Readonly<Record<WatchKind, Map<string, Set<WatchListener>>>> = {
    data: new Map(),
    exist: new Map(),
    child: new Map(),
    persistent: new Map(),
    recursive: new Map(),
  }

  arm(kind: WatchKind, path: string, listener: WatchListener): void {
    const listeners = this.#armed[kind].get(path)
    if (listeners) listeners.add(listener)
    else this.#armed[kind].set(path, new Set([listener]))
  }

  /** Tells everyone an event concerns, each in a microtask: after what replies before it resolved, before later ones. */
  receive(type: number, path: string): void {
    const name = typeNames.get(type as EventType)
    if (name === undefined) return
    const told = new Set<WatchListener>()
    for (const kind of kindsTaken[name]) {
      for (const listener of this.#armed[kind].get(path) ?? []) told.add(listener)
      this.#armed[kind].delete(path)
    }
    for (const listener of this.#armed.persistent.get(path) ?? []) told.add(listener)
    // Of a list of children the subtree's watchers never hear: they hear of the children.
    if (name !== 'childrenChanged' && this.#armed.recursive.size > 0) {
      for (const at of selfAndAncestors(path)) {
        for (const listener of this.#armed.recursive.get(at) ?? []) told.add(listener)
      }
    }
    tell(told, { type: name, path })
  }

  /** The listeners of a path's watches of this type, each once. */
  of(type: WatcherType, path: string): ReadonlySet<WatchListener> {
    const listeners = kindsOfType[type].flatMap((kind) => [...(this.#armed[kind].get(path) ?? [])])
    return new Set(listeners)
  }

  /** Takes one listener off, or all, and tells whoever goes. */
  remove(type: WatcherType, path: string, only?: WatchListener): void {
    const gone = only === undefined ? this.of(type, path) : new Set([only])
    for (const kind of kindsOfType[type]) {
      const listeners = this.#armed[kind].get(path)
      for (const listener of gone) listeners?.delete(listener)
      if (listeners?.size === 0) this.#armed[kind].delete(path)
    }
    tell(gone, { type: 'removed', path })
  }

  /** A new link has been found: watches that are told always have missed what happened meanwhile. */
  resume(): void {
    for (const kind of ['persistent', 'recursive'] as const) {
      for (const [path, listeners] of this.#armed[kind]) tell(listeners, { type: 'resumed', path })
    }
  }

  /** The session is over: everyone is told, nothing stays armed. */
  end(): void {
    for (const byPath of Object.values(this.#armed)) {
      for (const [path, listeners] of byPath) tell(listeners, { type: 'sessionEnded', path })
      byPath.clear()
    }
  }

  /**
   * What arms every watch again on a new link, by the names the server knows the nodes by. `lastZxidSeen` is the zxid of
   * the last reply: the server tells at once of what changed after it.
   */
  setWatches(lastZxidSeen: number, outward: (path: string) => string): SetWatches2[] {
    const batches: Batch[] = []
    let left = 0
    for (const [kind, byPath] of Object.entries(this.#armed)) {
      for (const path of byPath.keys()) {
        const named = outward(path)
        const bytes = encoder.encode(named).length
        if (bytes > left) {
          batches.push({ data: [], exist: [], child: [], persistent: [], recursive: [] })
          left = setWatchesBytesMax
        }
        left -= bytes
        batches.at(-1)?.[kind as WatchKind].push(named)
      }
    }
    return batches.map(({ data, exist, child, persistent, recursive }) => ({
      relativeZxid: lastZxidSeen,
      dataWatches: data,
      existWatches: exist,
      childWatches: child,
      persistentWatches: persistent,
      persistentRecursiveWatches: recursive,
    }))
  }
}

type Batch = Record<WatchKind, string[]>
type SetWatches2 = Decoded<typeof SetWatches2>

const encoder = new TextEncoder()

function* selfAndAncestors(path: string): Generator<string> {
  for (let at = path; at !== ''; at = at.slice(0, at.lastIndexOf('/'))) yield at
  if (path !== '/') yield '/'
}

function tell(listeners: Iterable<WatchListener>, event: WatchEvent): void {
  for (const listener of listeners) queueMicrotask(() => listener(event))
}
