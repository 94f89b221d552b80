/** A copy of a subtree that follows the server's. */
import type { Client, Value, WatchEvent } from '../client/index.ts'
import { isRefusal, isUnknown } from './patience.ts'

export interface SubtreeChange {
  readonly type: 'added' | 'changed' | 'removed'
  readonly path: string
  /** What is there now; undefined where it was removed. */
  readonly value: Value | undefined
}

export type SubtreeListener = (change: SubtreeChange) => void

/**
 * Copies `path` and everything below it, and resolves when the copy is whole. From then on it follows every change, and
 * after a lost link whatever was missed. Nodes the client may not read are left out.
 *
 *     const config = await cacheSubtree(client, '/config')
 *     config.get('/config/color')?.data
 */
export async function cacheSubtree(client: Client, path: string): Promise<SubtreeCache> {
  const cache = new SubtreeCache(client, path)
  await cache.whole
  return cache
}

/**
 * Replies and events come in the order of the server, so each says what holds at its place in it: a value replaces the
 * older one, a list of children rules out all others.
 */
export class SubtreeCache {
  /** Resolves when the copy is whole for the first time. */
  readonly whole: Promise<void>
  readonly #client: Client
  readonly #root: string
  readonly #values = new Map<string, Value>()
  readonly #children = new Map<string, Set<string>>()
  readonly #listeners = new Set<SubtreeListener>()
  #isClosed = false

  constructor(client: Client, root: string) {
    this.#client = client
    this.#root = root
    this.whole = this.#begin()
  }

  /** The node's value; undefined where there is none in the copy. */
  get(path: string): Value | undefined {
    return this.#values.get(path)
  }

  /** Names of a node's children in the copy, sorted. */
  children(path: string): readonly string[] {
    return [...(this.#children.get(path) ?? [])].sort()
  }

  /** Every path and value of the copy. */
  entries(): IterableIterator<[string, Value]> {
    return this.#values.entries()
  }

  /** Tells of each change of the copy. Returns the function that stops it. */
  onChange(listener: SubtreeListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Follows no longer; what is in the copy stays. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    try {
      await this.#client.removeWatches(this.#root, 'persistentRecursive', this.#receive)
    } catch (error) {
      // Of a session that is over, none is left. Servers before 3.9 cannot remove this kind alone: its events go unheard.
      const codes = ['MarshallingError', 'NoWatcher', 'ConnectionLoss'] as const
      if (!isRefusal(error, ...codes, 'SessionExpired', 'SessionClosed', 'AuthFailed')) throw error
    }
  }

  async #begin(): Promise<void> {
    for (;;) {
      try {
        await this.#client.addWatch(this.#root, 'persistentRecursive', this.#receive)
        await this.#read(this.#root)
        return
      } catch (error) {
        if (!isUnknown(error)) throw error
      }
    }
  }

  readonly #receive = ({ type, path }: WatchEvent): void => {
    if (this.#isClosed) return
    if (type === 'deleted') this.#drop(path)
    else if (type === 'created' || type === 'dataChanged') this.#refresh(this.#readOne(path))
    else if (type === 'resumed') this.#refresh(this.#read(this.#root))
  }

  /** What fails with its link is read again on the next, after `resumed`; with the session, the copy ends too. */
  #refresh(reading: Promise<void>): void {
    reading.catch((error: unknown) => {
      if (isRefusal(error, 'RequestTimeout')) return this.#refresh(this.#read(this.#root))
      const codes = ['ConnectionLoss', 'SessionExpired', 'SessionClosed', 'AuthFailed']
      if (!isRefusal(error, ...codes)) throw error
    })
  }

  async #read(path: string): Promise<void> {
    const [names] = await Promise.all([this.#names(path), this.#readOne(path)])
    await Promise.all(names.map((name) => this.#read(below(path, name))))
  }

  /** The list counts where it stands among replies and events, so it is taken in before anything behind it. */
  async #names(path: string): Promise<readonly string[]> {
    try {
      const names = await this.#client.getChildren(path)
      if (this.#isClosed) return []
      const listed = new Set(names)
      for (const name of this.children(path)) if (!listed.has(name)) this.#drop(below(path, name))
      return names
    } catch (error) {
      if (isRefusal(error, 'NoNode', 'NoAuth')) return []
      throw error
    }
  }

  async #readOne(path: string): Promise<void> {
    try {
      const value = await this.#client.get(path)
      if (!this.#isClosed) this.#put(path, value)
    } catch (error) {
      if (!isRefusal(error, 'NoNode', 'NoAuth')) throw error
      if (!this.#isClosed) this.#drop(path)
    }
  }

  #put(path: string, value: Value): void {
    const before = this.#values.get(path)
    this.#values.set(path, value)
    if (path !== this.#root) {
      const parent = parentOf(path)
      const names = this.#children.get(parent) ?? new Set()
      this.#children.set(parent, names.add(nameOf(path)))
    }
    if (before === undefined) this.#tell({ type: 'added', path, value })
    else if (before.stat.mzxid !== value.stat.mzxid) this.#tell({ type: 'changed', path, value })
  }

  #drop(path: string): void {
    for (const name of this.children(path)) this.#drop(below(path, name))
    this.#children.delete(path)
    this.#children.get(parentOf(path))?.delete(nameOf(path))
    if (this.#values.delete(path)) this.#tell({ type: 'removed', path, value: undefined })
  }

  #tell(change: SubtreeChange): void {
    for (const listener of this.#listeners) listener(change)
  }
}

const below = (path: string, name: string): string =>
  path === '/' ? `/${name}` : `${path}/${name}`
const parentOf = (path: string): string => path.slice(0, path.lastIndexOf('/')) || '/'
const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1)
