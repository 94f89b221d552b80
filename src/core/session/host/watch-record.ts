/**
 * Which watches a session has, read off its own requests and replies. The session's actor keeps them, because a member
 * forgets them when it restarts, and a socket that hibernates must not notice.
 */
import { MalformedFrame, Reader } from '../../jute/codec.ts'
import { SetWatches, SetWatches2 } from '../../jute/records.ts'
import { eventTypes, opcodes, watcherTypes } from '../../wire/opcodes.ts'
import { errorCodes } from '../../wire/refusals.ts'

/** The paths of each kind, as messages carry them. */
export interface WatchLists {
  readonly dataWatches: string[]
  readonly existWatches: string[]
  readonly childWatches: string[]
  readonly persistentWatches: string[]
  readonly persistentRecursiveWatches: string[]
}

interface Asked {
  readonly xid: number
  readonly kind: 'exists' | 'data' | 'child' | 'persistent' | 'recursive' | 'removal'
  /** Of a removal: which WatcherType. */
  readonly watcherType: number
  readonly path: string
}

export class WatchRecord {
  readonly data = new Set<string>()
  readonly exist = new Set<string>()
  readonly child = new Set<string>()
  readonly persistent = new Set<string>()
  readonly recursive = new Set<string>()
  /** Requests that ask for a watch, until their reply tells whether they got it. */
  #asked: Asked[] = []

  /** Is there a watch that an event does not use up? */
  get hasStaying(): boolean {
    return this.persistent.size > 0 || this.recursive.size > 0
  }

  get lists(): WatchLists {
    return {
      dataWatches: [...this.data],
      existWatches: [...this.exist],
      childWatches: [...this.child],
      persistentWatches: [...this.persistent],
      persistentRecursiveWatches: [...this.recursive],
    }
  }

  /** The lists in parts of about `bytesMax` bytes; one at least. */
  parts(bytesMax: number): WatchLists[] {
    const empty = new WatchRecord()
    const parts = [empty.lists]
    let bytes = 0
    for (const [kind, paths] of Object.entries(this.lists) as [keyof WatchLists, string[]][]) {
      for (const path of paths) {
        bytes += 4 + path.length
        if (bytes > bytesMax) {
          parts.push(empty.lists)
          bytes = 4 + path.length
        }
        parts.at(-1)?.[kind].push(path)
      }
    }
    return parts
  }

  /** Looks at a request on its way to the member. Bytes it cannot read are the member's to refuse. */
  noteRequest(xid: number, type: number, frame: Uint8Array): void {
    try {
      if (type === opcodes.setWatches.code)
        this.#noteSetWatches(SetWatches.read(new Reader(frame, 8)))
      else if (type === opcodes.setWatches2.code) {
        const asked = SetWatches2.read(new Reader(frame, 8))
        this.#noteSetWatches(asked)
        for (const path of asked.persistentWatches) this.persistent.add(path)
        for (const path of asked.persistentRecursiveWatches) this.recursive.add(path)
      } else if (type === opcodes.addWatch.code) this.#noteAddWatch(xid, frame)
      else if (type === opcodes.removeWatches.code) this.#noteRemoval(xid, frame)
      else this.#noteRead(xid, type, frame)
    } catch (fault) {
      if (!(fault instanceof MalformedFrame)) throw fault
    }
  }

  noteReply(xid: number, err: number): void {
    const asked = this.#asked[0]
    if (asked?.xid !== xid) return
    this.#asked.shift()
    const { kind, path, watcherType } = asked
    if (err !== 0) {
      if (kind === 'exists' && err === errorCodes.NoNode) this.exist.add(path)
    } else if (kind === 'removal') this.#remove(path, watcherType)
    else (kind === 'exists' ? this.data : this[kind]).add(path)
  }

  /** One-shot watches are used up by their event. */
  noteEvent(type: number, path: string): void {
    if (type === eventTypes.childrenChanged) this.child.delete(path)
    else {
      this.data.delete(path)
      this.exist.delete(path)
      if (type === eventTypes.deleted) this.child.delete(path)
    }
  }

  #noteRead(xid: number, type: number, frame: Uint8Array): void {
    const kind = kinds.get(type)
    // The watch flag is the last byte of all these requests.
    if (kind === undefined || frame.at(-1) === 0) return
    const path = new Reader(frame, 8).ustring()
    if (path !== null) this.#asked.push({ xid, kind, path, watcherType: 0 })
  }

  #noteSetWatches(asked: SetWatches): void {
    for (const path of asked.dataWatches) this.data.add(path)
    for (const path of asked.existWatches) this.exist.add(path)
    for (const path of asked.childWatches) this.child.add(path)
  }

  #noteAddWatch(xid: number, frame: Uint8Array): void {
    const { path, mode } = opcodes.addWatch.request.read(new Reader(frame, 8))
    const kind = mode === 0 ? 'persistent' : 'recursive'
    this.#asked.push({ xid, kind, path, watcherType: 0 })
  }

  #noteRemoval(xid: number, frame: Uint8Array): void {
    const { path, type } = opcodes.removeWatches.request.read(new Reader(frame, 8))
    this.#asked.push({ xid, kind: 'removal', path, watcherType: type })
  }

  #remove(path: string, type: number): void {
    const isAny = type === watcherTypes.any
    if (isAny || type === watcherTypes.children) this.child.delete(path)
    if (isAny || type === watcherTypes.data) {
      this.data.delete(path)
      this.exist.delete(path)
    }
    if (isAny || type === watcherTypes.persistent) this.persistent.delete(path)
    if (isAny || type === watcherTypes.persistentRecursive) this.recursive.delete(path)
  }
}

const kinds = new Map<number, Asked['kind']>([
  [opcodes.exists.code, 'exists'],
  [opcodes.getData.code, 'data'],
  [opcodes.getChildren.code, 'child'],
  [opcodes.getChildren2.code, 'child'],
])
