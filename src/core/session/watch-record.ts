/**
 * Which watches a session has, read off its own requests and replies. The session's actor keeps them, because a member
 * forgets them when it restarts, and a socket that hibernates must not notice.
 */
import { MalformedFrame, Reader } from '../jute/codec.ts'
import { SetWatches } from '../jute/records.ts'
import { eventTypes, opcodes } from '../wire/opcodes.ts'
import { errorCodes } from '../wire/refusals.ts'

interface Asked {
  readonly xid: number
  readonly kind: 'exists' | 'data' | 'child'
  readonly path: string
}

export class WatchRecord {
  readonly data = new Set<string>()
  readonly exist = new Set<string>()
  readonly child = new Set<string>()
  /** Requests that ask for a watch, until their reply tells whether they got it. */
  #asked: Asked[] = []

  /** Looks at a request on its way to the member. Bytes it cannot read are the member's to refuse. */
  noteRequest(xid: number, type: number, frame: Uint8Array): void {
    try {
      if (type === opcodes.setWatches.code) this.#noteSetWatches(frame)
      else this.#noteRead(xid, type, frame)
    } catch (fault) {
      if (!(fault instanceof MalformedFrame)) throw fault
    }
  }

  noteReply(xid: number, err: number): void {
    const asked = this.#asked[0]
    if (asked?.xid !== xid) return
    this.#asked.shift()
    if (err === 0) (asked.kind === 'child' ? this.child : this.data).add(asked.path)
    else if (asked.kind === 'exists' && err === errorCodes.NoNode) this.exist.add(asked.path)
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
    if (path !== null) this.#asked.push({ xid, kind, path })
  }

  #noteSetWatches(frame: Uint8Array): void {
    const asked = SetWatches.read(new Reader(frame, 8))
    for (const path of asked.dataWatches) this.data.add(path)
    for (const path of asked.existWatches) this.exist.add(path)
    for (const path of asked.childWatches) this.child.add(path)
  }
}

const kinds = new Map<number, Asked['kind']>([
  [opcodes.exists.code, 'exists'],
  [opcodes.getData.code, 'data'],
  [opcodes.getChildren.code, 'child'],
  [opcodes.getChildren2.code, 'child'],
])
