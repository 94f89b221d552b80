/**
 * How one connection watches each path. 3.8.0 keeps the last mode of a path, 3.9 all of them: scripts must not mix them,
 * whichever part of them is played. A wish for a second mode is taken out of its request; nothing is ever forgotten, so
 * a fired or removed watch still stands for its mode.
 */
import type { Request } from './script.ts'

export type Mode = 'standard' | 'persistent' | 'recursive'

interface Lists {
  readonly dataWatches: readonly string[]
  readonly existWatches: readonly string[]
  readonly childWatches: readonly string[]
  readonly persistentWatches?: readonly string[]
  readonly persistentRecursiveWatches?: readonly string[]
}

const watchingReads = new Set(['exists', 'getData', 'getChildren', 'getChildren2'])

export class Modes {
  readonly #modes = new Map<string, Mode>()

  of(path: string): Mode | undefined {
    return this.#modes.get(path)
  }

  /** The connection is another. */
  clear(): void {
    this.#modes.clear()
  }

  /** The request without what would mix modes. */
  tamed(request: Request): Request {
    const { op } = request
    if (op === 'addWatch') return this.#tamedAddWatch(request)
    if (op === 'setWatches' || op === 'setWatches2') {
      return { ...request, body: this.#tamedLists(request.body as Lists) }
    }
    return watchingReads.has(op) ? this.#tamedRead(request) : request
  }

  /** A damaged read may turn out to wish for a watch: it counts as one. */
  #tamedRead(request: Request): Request {
    const { path, watch } = request.body as { readonly path: string; readonly watch: boolean }
    if (!watch && request.raw === undefined) return request
    if (this.#take(path, 'standard')) return request
    return { op: request.op, body: { path, watch: false } }
  }

  #tamedAddWatch(request: Request): Request {
    const { path, mode } = request.body as { readonly path: string; readonly mode: number }
    if (mode !== 0 && mode !== 1) return request
    if (this.#take(path, mode === 0 ? 'persistent' : 'recursive')) return request
    return { op: 'exists', body: { path, watch: false } }
  }

  #tamedLists(lists: Lists): Lists {
    const kept = (paths: readonly string[], mode: Mode): string[] =>
      paths.filter((path) => this.#take(path, mode))
    const tamed = {
      ...lists,
      dataWatches: kept(lists.dataWatches, 'standard'),
      existWatches: kept(lists.existWatches, 'standard'),
      childWatches: kept(lists.childWatches, 'standard'),
    }
    const { persistentWatches, persistentRecursiveWatches } = lists
    if (persistentWatches === undefined || persistentRecursiveWatches === undefined) return tamed
    return {
      ...tamed,
      persistentWatches: kept(persistentWatches, 'persistent'),
      persistentRecursiveWatches: kept(persistentRecursiveWatches, 'recursive'),
    }
  }

  #take(path: string, mode: Mode): boolean {
    const known = this.#modes.get(path)
    if (known === undefined) this.#modes.set(path, mode)
    return known === undefined || known === mode
  }
}
