/** What one session's watches owe it: every event it asked for, once, in order, and before anything that shows it. */
import { invariant } from '../../src/core/shared/assert.ts'
import { eventTypes, type EventType } from '../../src/core/wire/opcodes.ts'
import type { Model, ModelEvent } from './model.ts'

export type WatchKind = 'data' | 'exist' | 'child' | 'persistent' | 'recursive'

interface Armed {
  readonly kind: WatchKind
  readonly path: string
  /** Events before this one in the model's list are none of its business. */
  cursor: number
}

/** What a re-armed watch must be told at once. */
interface Owed {
  readonly type: EventType
  readonly path: string
}

const { created, deleted, dataChanged, childrenChanged } = eventTypes
const wanted: Readonly<Record<WatchKind, readonly EventType[]>> = {
  data: [created, deleted, dataChanged],
  exist: [created, deleted, dataChanged],
  child: [childrenChanged, deleted],
  persistent: [created, deleted, dataChanged, childrenChanged],
  recursive: [created, deleted, dataChanged],
}

export class WatchLaws {
  readonly #model: Model
  #armed: Armed[] = []
  #owed: Owed[] = []
  told = 0

  constructor(model: Model) {
    this.#model = model
  }

  paths(kind: WatchKind): string[] {
    return this.#armed.filter((one) => one.kind === kind).map(({ path }) => path)
  }

  get isEmpty(): boolean {
    return this.#armed.length === 0
  }

  /** A reply said that the watch is set; it was made at `zxid`. */
  arm(kind: WatchKind, path: string, zxid: number): void {
    // The server has one table for both: what is armed there already is armed once.
    const same = (one: Armed): boolean =>
      one.path === path && (one.kind === kind || (isOfData(one.kind) && isOfData(kind)))
    if (!this.#armed.some(same)) {
      this.#armed.push({ kind, path, cursor: this.#model.eventsAfter(zxid) })
    }
  }

  /** All watches of a path are removed. */
  disarm(path: string): void {
    this.#armed = this.#armed.filter((one) => one.path !== path)
  }

  /** The client is disconnected: whatever was on its way to it is lost. */
  disconnected(): void {
    this.#owed = []
  }

  /** An event arrived. */
  heard(zxid: number, type: EventType, path: string): void {
    this.told += 1
    if (zxid < 0) return this.#heardLate(type, path)
    const due = this.#armed.filter((one) => {
      const next = this.#next(one)
      return next?.zxid === zxid && next.type === type && next.path === path
    })
    invariant(due.length > 0, `Watch: ${showEvent(type, path)} at ${hex(zxid)} was asked for, once`)
    for (const one of due) {
      if (isOneShot(one.kind)) this.#armed.splice(this.#armed.indexOf(one), 1)
      else one.cursor += 1
    }
  }

  /** A reply arrived that shows the tree at `zxid`. */
  shown(zxid: number): void {
    const [owed] = this.#owed
    if (owed) invariant(false, `Watch: ${showEvent(owed.type, owed.path)} was missed`)
    for (const one of this.#armed) {
      const next = this.#next(one)
      if (next === undefined || next.zxid > zxid) continue
      const what = `${showEvent(next.type, next.path)} at ${hex(next.zxid)}`
      invariant(false, `Watch: ${what} comes before a reply at ${hex(zxid)}`)
    }
  }

  /** A member armed the watches again at `zxid`, for a client that had seen `since`: what changed is told at once. */
  rearmed(since: number, zxid: number): void {
    const kept: Armed[] = []
    for (const one of this.#armed) {
      const type = this.#missed(one, since, zxid)
      if (type === undefined) kept.push({ ...one, cursor: this.#model.eventsAfter(zxid) })
      else this.#owed.push({ type, path: one.path })
    }
    this.#armed = kept
  }

  #heardLate(type: EventType, path: string): void {
    const at = this.#owed.findIndex((one) => one.type === type && one.path === path)
    invariant(at >= 0, `Watch: ${showEvent(type, path)} was missed by a re-armed watch`)
    this.#owed.splice(at, 1)
  }

  /** As DataTree.setWatches tells it. */
  #missed({ kind, path }: Armed, since: number, zxid: number): EventType | undefined {
    const node = this.#model.at(path, zxid)
    switch (kind) {
      case 'data':
        if (node === undefined) return deleted
        return node.mzxid > since ? dataChanged : undefined
      case 'exist':
        return node === undefined ? undefined : created
      case 'child':
        if (node === undefined) return deleted
        return node.pzxid > since ? childrenChanged : undefined
      case 'persistent':
      case 'recursive':
        return undefined
    }
  }

  /** The first event that is not yet told and that the watch is about. */
  #next(one: Armed): ModelEvent | undefined {
    const { events } = this.#model
    for (; one.cursor < events.length; one.cursor++) {
      const event = events[one.cursor] as ModelEvent
      if (concerns(one, event)) return event
    }
    return undefined
  }
}

function concerns({ kind, path }: Armed, event: ModelEvent): boolean {
  if (!wanted[kind].includes(event.type)) return false
  if (event.path === path) return true
  return kind === 'recursive' && event.path.startsWith(path === '/' ? '/' : `${path}/`)
}

const isOneShot = (kind: WatchKind): boolean => kind !== 'persistent' && kind !== 'recursive'
const isOfData = (kind: WatchKind): boolean => kind === 'data' || kind === 'exist'
const hex = (zxid: number): string => `0x${zxid.toString(16)}`
const names = new Map(Object.entries(eventTypes).map(([name, code]) => [code, name]))
const showEvent = (type: EventType, path: string): string => `${names.get(type)} ${path}`
