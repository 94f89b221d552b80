/**
 * The tree as it will be once everything proposed is applied. The leader checks writes against this view, so that a
 * request may build on one that no member has applied yet (ZooKeeper's outstandingChanges).
 */
import type { Acl } from '../jute/records.ts'
import { TransitMap } from '../shared/transit-map.ts'
import type { SessionId, Zxid } from '../shared/units.ts'
import { parentOf } from '../tree/path.ts'
import type { Tree } from '../tree/tree.ts'

/** What prepare needs to know of a node, and may change. */
export interface PendingNode {
  version: number
  aversion: number
  /** Children ever created: the next sequence number. */
  creations: number
  childCount: number
  owner: bigint
  acl: readonly Acl[]
  dataLength: number
}

interface Change {
  /** Null: the node will be gone. */
  node: PendingNode | null
  zxid: Zxid
}

export class PendingView {
  readonly #tree: Tree
  readonly #changes = new TransitMap<string, Change>()
  /** Which change became final when: zxids in order, each with its path. */
  readonly #order: { readonly zxid: Zxid; readonly path: string }[] = []
  #released = 0
  readonly #sessions = new TransitMap<SessionId, { readonly alive: boolean; readonly zxid: Zxid }>()
  /** Inside a multi: what stood before, to be put back if a later operation fails. */
  #journal: Map<string, Change | undefined> | undefined

  constructor(tree: Tree) {
    this.#tree = tree
  }

  /** The node as it will be; undefined if there will be none. Not to be changed: see `edit`. */
  get(path: string): Readonly<PendingNode> | undefined {
    const change = this.#changes.get(path)
    if (change !== undefined) return change.node ?? undefined
    const node = this.#tree.get(path)
    if (node === undefined) return undefined
    const { version, aversion, creations, childCount, owner, acl } = node
    const dataLength = node.data?.length ?? 0
    return { version, aversion, creations, childCount, owner, acl, dataLength }
  }

  quotaOver(path: string): ReturnType<Tree['quotaOver']> {
    return this.#tree.quotaOver(path)
  }

  /** A copy of the node at `path` that the txn `zxid` may change. */
  edit(path: string, node: Readonly<PendingNode>, zxid: Zxid): PendingNode {
    const copy = { ...node }
    this.#set(path, copy, zxid)
    return copy
  }

  create(
    path: string,
    owner: bigint,
    acl: readonly Acl[],
    data: Uint8Array | null,
    zxid: Zxid,
  ): void {
    const dataLength = data?.length ?? 0
    const node = { version: 0, aversion: 0, creations: 0, childCount: 0, owner, acl, dataLength }
    this.#set(path, node, zxid)
  }

  remove(path: string, zxid: Zxid): void {
    this.#set(path, null, zxid)
  }

  /** An ephemeral that goes with its session. */
  removeEphemeral(path: string, zxid: Zxid): void {
    const parentPath = parentOf(path)
    const parent = this.get(parentPath)
    if (parent !== undefined) this.edit(parentPath, parent, zxid).childCount -= 1
    this.remove(path, zxid)
  }

  /** Everything up to here is applied. */
  get appliedZxid(): Zxid {
    return this.#tree.applied
  }

  hasSession(session: SessionId): boolean {
    return this.#sessions.get(session)?.alive ?? this.#tree.sessions.has(session)
  }

  openSession(session: SessionId, zxid: Zxid): void {
    this.#setSession(session, true, zxid)
  }

  closeSession(session: SessionId, zxid: Zxid): void {
    this.#setSession(session, false, zxid)
  }

  /** The ephemerals a session will own. */
  ephemeralsOf(session: SessionId): Iterable<string> {
    const paths = new Set(this.#tree.ephemeralsOf(session))
    for (const [path, { node }] of this.#changes) {
      if (node?.owner === session) paths.add(path)
      else paths.delete(path)
    }
    return paths
  }

  /** Runs `attempt`; if it answers false, everything it changed here is put back. */
  allOrNothing(attempt: () => boolean): void {
    const journal = new Map<string, Change | undefined>()
    this.#journal = journal
    const kept = attempt()
    this.#journal = undefined
    if (kept) return
    for (const [path, before] of journal) {
      if (before === undefined) this.#changes.delete(path)
      else this.#changes.set(path, before)
    }
  }

  /** The tree has applied everything up to `zxid`: it knows by itself now. */
  applied(zxid: Zxid): void {
    while (this.#released < this.#order.length) {
      const next = this.#order[this.#released]
      if (next === undefined || next.zxid > zxid) break
      if (this.#changes.get(next.path)?.zxid === next.zxid) this.#changes.delete(next.path)
      this.#released += 1
    }
    if (this.#released > 1024 && this.#released * 2 > this.#order.length) {
      this.#order.splice(0, this.#released)
      this.#released = 0
    }
    for (const [session, change] of this.#sessions) {
      if (change.zxid > zxid) break
      this.#sessions.delete(session)
    }
  }

  #setSession(session: SessionId, alive: boolean, zxid: Zxid): void {
    // Removed first, so that the map stays in the order of zxids.
    this.#sessions.delete(session)
    this.#sessions.set(session, { alive, zxid })
  }

  #set(path: string, node: PendingNode | null, zxid: Zxid): void {
    const before = this.#changes.get(path)
    if (before?.zxid !== zxid) this.#order.push({ zxid, path })
    if (this.#journal !== undefined && !this.#journal.has(path)) this.#journal.set(path, before)
    else if (before !== undefined) {
      before.node = node
      before.zxid = zxid
      return
    }
    this.#changes.set(path, { node, zxid })
  }
}
