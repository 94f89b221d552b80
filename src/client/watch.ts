/** The watches a client has armed: who is told what, once. */
import type { SetWatches } from '../core/jute/records.ts'
import { type EventType, eventTypes } from '../core/wire/opcodes.ts'

/**
 * `created`, `deleted`, `dataChanged`, `childrenChanged`: what happened to the node at `path`.
 * `sessionEnded`: the session expired or was closed; this watch will never fire.
 */
export interface WatchEvent {
  readonly type: keyof typeof kindsTaken | 'sessionEnded'
  readonly path: string
}

/** Told once, then forgotten. The same function armed twice for one event is told once. */
export type WatchListener = (event: WatchEvent) => void

/** `data`: of a node that was there; `exist`: of one that was not; `child`: of a node's list of children. */
export type WatchKind = 'data' | 'exist' | 'child'

/** Path bytes a setWatches may carry: ZooKeeper's own client stays below 128 KiB, far from any server's frame limit. */
export const setWatchesBytesMax = 128 * 1024

/** Which watches of a path an event uses up. */
const kindsTaken = {
  created: ['data', 'exist'],
  dataChanged: ['data', 'exist'],
  deleted: ['data', 'exist', 'child'],
  childrenChanged: ['child'],
} as const satisfies Record<string, readonly WatchKind[]>

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
    tell(told, { type: name, path })
  }

  /** The session is over: everyone is told, nothing stays armed. */
  end(): void {
    for (const byPath of Object.values(this.#armed)) {
      for (const [path, listeners] of byPath) tell(listeners, { type: 'sessionEnded', path })
      byPath.clear()
    }
  }

  /**
   * What arms every watch again on a new link. `lastZxidSeen` is the zxid of the last reply: the server tells at once
   * of what changed after it.
   */
  setWatches(lastZxidSeen: number): SetWatches[] {
    const batches: Batch[] = []
    let left = 0
    for (const [kind, byPath] of Object.entries(this.#armed)) {
      for (const path of byPath.keys()) {
        const bytes = encoder.encode(path).length
        if (bytes > left) {
          batches.push({ data: [], exist: [], child: [] })
          left = setWatchesBytesMax
        }
        left -= bytes
        batches.at(-1)?.[kind as WatchKind].push(path)
      }
    }
    return batches.map(({ data, exist, child }) => ({
      relativeZxid: lastZxidSeen,
      dataWatches: data,
      existWatches: exist,
      childWatches: child,
    }))
  }
}

type Batch = Record<WatchKind, string[]>

const encoder = new TextEncoder()

function tell(listeners: Iterable<WatchListener>, event: WatchEvent): void {
  for (const listener of listeners) queueMicrotask(() => listener(event))
}
