/** Tells sessions what they watch: the index of a member's watches, and the events that leave for the actors. */
import { asZxid } from '../../shared/units.ts'
import type { ReaderWatches } from '../../request/read.ts'
import { allows } from '../../tree/acl.ts'
import type { TreeEvent } from '../../tree/events.ts'
import type { Tree } from '../../tree/tree.ts'
import { Watches } from '../../watch/watches.ts'
import { permissions } from '../../wire/opcodes.ts'
import { writeWatchEvent } from '../../wire/packets.ts'
import type { Attachment, Edge } from './attachment.ts'
import { type AskedWatches, rearm } from './rearm.ts'

export class WatchBell {
  readonly #tree: () => Tree
  readonly #watches = new Watches<Attachment>()
  /** Events that left, one per session. */
  told = 0

  constructor(tree: () => Tree) {
    this.#tree = tree
  }

  get watchCount(): number {
    return this.#watches.count
  }

  /** The session is attached no longer. */
  drop(attachment: Attachment): void {
    this.#watches.drop(attachment)
  }

  /** Arms the watches a client says it has, and tells what it missed of them. */
  rearm(attachment: Attachment, asked: AskedWatches): void {
    rearm(this.#tree(), this.of(attachment), asked, (type, path) => {
      attachment.edge.outbox.send({
        type: 'event',
        slots: [attachment.slot],
        frame: writeWatchEvent(-1, type, path),
      })
    })
  }

  /** The watches of one session, for whoever reads on its behalf. */
  of(attachment: Attachment): ReaderWatches {
    const watches = this.#watches
    return {
      watchData: (path) => watches.watchData(attachment, path),
      watchChildren: (path) => watches.watchChildren(attachment, path),
      watchAlways: (path) => watches.watchAlways(attachment, path),
      watchSubtree: (path) => watches.watchSubtree(attachment, path),
      has: (path, type) => watches.has(attachment, path, type),
      remove: (path, type) => watches.remove(attachment, path, type),
    }
  }

  /** Tells of an event whoever watches and may read the node; one frame for all sessions of an actor. */
  ring(event: TreeEvent, zxid: number): void {
    const holders = this.#watches.fire(event)
    if (holders.size === 0) return
    const slots = new Map<Edge, number[]>()
    const isPublic = allows(event.acl, permissions.read, nobody)
    for (const { edge, slot, identities } of holders) {
      if (!isPublic && !allows(event.acl, permissions.read, identities)) continue
      const known = slots.get(edge)
      if (known === undefined) slots.set(edge, [slot])
      else known.push(slot)
    }
    const frame = writeWatchEvent(asZxid(zxid), event.type, event.path)
    this.told += holders.size
    for (const [edge, of] of slots) edge.outbox.send({ type: 'event', slots: of, frame })
  }
}

const nobody: readonly never[] = []
