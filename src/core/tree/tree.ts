/**
 * The znodes and the sessions, moved by committed txns and nothing else. Members that applied the same txns have equal
 * trees, and equal digests.
 */
import { type Decoded, decode, encode, long, record } from '../jute/codec.ts'
import type { Acl, Stat } from '../jute/records.ts'
import { invariant, unreachable } from '../shared/assert.ts'
import { asSessionId, asZxid, type SessionId, type Zxid } from '../shared/units.ts'
import { eventTypes } from '../wire/opcodes.ts'
import { sharedAcl } from './acl.ts'
import type { TreeEvent } from './events.ts'
import { firstNodes } from './first-nodes.ts'
import { type CachedNode, newNode, NodeCache } from './node-cache.ts'
import { OwnedNodes } from './owned-nodes.ts'
import { containerOwner, ttlOf, ttlOwner } from './owner.ts'
import { configPath, nameOf, parentOf } from './path.ts'
import { QuotaAccounts, type QuotaOver } from './quota-accounts.ts'
import { type EarlyRow, type RowChange, rooms, type RowTable } from './row-table.ts'
import { SessionTable } from './session-table.ts'
import { TreeDigest } from './tree-digest.ts'
import type { Change, TxnBody, TxnHeader } from './txn.ts'
import { Slice } from './slice.ts'
import { statOf, type Znode } from './znode.ts'

/** What an applied txn answers to whoever asked for it. */
export interface Outcome {
  readonly err: number
  /** The path that was created. */
  readonly path?: string
  /** The node right after the change; only where `stats` were asked for. */
  readonly stat?: Stat
  /** Of a multi: one outcome per operation. */
  readonly parts?: readonly Outcome[]
}

const Totals = record({
  zxid: long,
  digestHigh: long,
  digestLow: long,
  nodes: long,
  dataBytes: long,
  sessions: long,
})

/** The zxid a checkpoint stands at; 0 for none. */
export function checkpointZxidOf(table: RowTable): Zxid {
  const row = table.get(rooms.totals, '', '')
  return asZxid(row === undefined ? 0 : decode(Totals, row).zxid)
}

export class Tree {
  readonly #cache: NodeCache
  readonly #digest = new TreeDigest()
  readonly #sessions = new SessionTable()
  readonly #owned = new OwnedNodes()
  readonly #quotas: QuotaAccounts
  #nodes = 0
  #dataBytes = 0
  #applied = asZxid(0)
  #checkpointed = asZxid(0)

  /** Opens the tree of a checkpoint; one without totals is new and holds ZooKeeper's four nodes. */
  constructor(table: RowTable, cacheBytes: number) {
    const row = table.get(rooms.totals, '', '')
    this.#cache = new NodeCache(table, cacheBytes, row === undefined)
    this.#quotas = new QuotaAccounts(this.#cache, (node, data) => this.#setUsage(node, data))
    if (row === undefined) this.#plant()
    else this.#restore(table, row)
  }

  /** The configuration in force, where it is news: the first one is no txn's. */
  setConfig(data: Uint8Array, version: Zxid): void {
    const node = this.#node(configPath)
    if (node.mzxid === version && node.data?.length === data.length) return
    const grown = data.length - (node.data?.length ?? 0)
    this.#changed(node)
    node.data = data
    node.mzxid = version
    this.#cache.resized(grown)
    this.#dataBytes += grown
  }

  #restore(table: RowTable, row: Uint8Array): void {
    const totals: Decoded<typeof Totals> = decode(Totals, row)
    this.#applied = asZxid(totals.zxid)
    this.#checkpointed = this.#applied
    this.#digest.restore(totals.digestHigh, totals.digestLow)
    this.#nodes = totals.nodes
    this.#dataBytes = totals.dataBytes
    this.#sessions.load(table)
    this.#owned.load(table, this.sessions.keys())
    this.#quotas.load()
  }

  /** The zxid of the last txn applied. */
  get applied(): Zxid {
    return this.#applied
  }

  /** The zxid the checkpoint stands at. */
  get checkpointZxid(): Zxid {
    return this.#checkpointed
  }

  /** Nodes as ZooKeeper counts them: the root twice. */
  get nodeCount(): number {
    return this.#nodes + 1
  }

  get ephemeralCount(): number {
    return this.#owned.ephemeralCount
  }

  /** Bytes of all paths and data. */
  get dataBytes(): number {
    return this.#dataBytes
  }

  get sessions(): ReadonlyMap<SessionId, number> {
    return this.#sessions.timeouts
  }

  /** Are there nodes that go by themselves once they are empty, or old? */
  get hasPerishables(): boolean {
    return this.#owned.containers.size + this.#owned.withTtl.size > 0
  }

  /** Up to `most` of the nodes that should go by now. */
  overdue(nowMs: number, most: number): string[] {
    const paths: string[] = []
    for (const path of this.#owned.containers) {
      if (paths.length >= most) return paths
      const node = this.#node(path)
      // One that never had a child still waits for its first.
      if (node.childCount === 0 && node.creations > 0) paths.push(path)
    }
    for (const path of this.#owned.withTtl) {
      if (paths.length >= most) return paths
      const node = this.#node(path)
      if (node.childCount === 0 && nowMs - node.mtime > ttlOf(node.owner)) paths.push(path)
    }
    return paths
  }

  get cachedBytes(): number {
    return this.#cache.cachedBytes
  }

  /** New nodes without a row, which need none if they are deleted in time. */
  get unwrittenCount(): number {
    return this.#cache.unwrittenCount
  }

  /** Other rows that the next checkpoint must write or remove, about. */
  get changedCount(): number {
    return this.#cache.changedCount + this.#owned.changes.count + this.#sessions.changes.count
  }

  /** Bytes of data in what is unwritten or changed: to be asked for when that is little. */
  get changedBytes(): number {
    return this.#cache.changedBytes
  }

  get(path: string): Readonly<Znode> | undefined {
    return this.#cache.get(path === '' ? '/' : path)
  }

  /** The names of a node's children; undefined if there is no such node. */
  children(path: string): ReadonlySet<string> | undefined {
    const at = path === '' ? '/' : path
    const node = this.#cache.get(at)
    return node === undefined ? undefined : this.#cache.names(node)
  }

  ephemeralsOf(session: SessionId): ReadonlySet<string> {
    return this.#owned.ofSession(session)
  }

  /** The tree's digest, 64 bits in hex, as ZooKeeper's `hash` prints it: equal trees have equal digests. */
  digest(): string {
    return this.#digest.hex
  }

  /** Applies one committed txn. Events are appended to `events`; stats are computed only if asked for. */
  apply(header: TxnHeader, body: TxnBody, events: TreeEvent[], stats: boolean): Outcome {
    invariant(header.zxid > this.#applied, 'txns are applied in the order of their zxids')
    this.#applied = asZxid(header.zxid)
    if (body.type !== 'multi') return this.#applyChange(header, body, events, stats)
    // Of a multi that failed every change is an error; so either all of these change the tree or none does.
    const parts = body.changes.map((change) => this.#applyChange(header, change, events, stats))
    return { err: 0, parts }
  }

  /** Up to `most` rows, to be written before the checkpoint they belong to, and of no meaning after a crash. */
  earlyRows(most: number): EarlyRow[] {
    this.#digest.update()
    const slice = new Slice(most)
    this.#cache.takeEarly(slice)
    this.#owned.changes.takeEarly(slice)
    this.#sessions.changes.takeEarly(slice)
    return slice.rows
  }

  /** The rows that bring the checkpoint to the present; to be written in one transaction. */
  checkpoint(): { readonly zxid: Zxid; readonly rows: RowChange[] } {
    const totals = encode(Totals, {
      zxid: this.#applied,
      ...this.#digest.halves,
      nodes: this.#nodes,
      dataBytes: this.#dataBytes,
      sessions: this.sessions.size,
    })
    const rows = [...this.#cache.changedRows(), ...this.#owned.changes, ...this.#sessions.changes]
    rows.push({ room: rooms.totals, key: '', name: '', value: totals })
    return { zxid: this.#applied, rows }
  }

  /** The rows of the last `checkpoint` are durable, and nothing was applied since. */
  checkpointWritten(): void {
    this.#checkpointed = this.#applied
    this.#sessions.changes.clear()
    this.#owned.changes.clear()
    this.#cache.checkpointed()
  }

  #applyChange(header: TxnHeader, change: Change, events: TreeEvent[], stats: boolean): Outcome {
    switch (change.type) {
      case 'error':
        return { err: change.err }
      case 'create':
      case 'create2':
        return this.#create(header, change, change.ephemeral ? header.session : 0n, events, stats)
      case 'createContainer':
        return this.#create(header, change, containerOwner, events, stats)
      case 'createTtl':
        return this.#create(header, change, ttlOwner(change.ttl), events, stats)
      case 'delete':
      case 'deleteContainer':
        this.#delete(header, change.path, events)
        return { err: 0 }
      case 'setData':
      case 'reconfig':
        return this.#setData(header, change, events, stats)
      case 'setAcl':
        return this.#setAcl(change, stats)
      case 'check':
        return { err: 0 }
      case 'createSession':
        this.#sessions.open(asSessionId(header.session), change.timeOut)
        return { err: 0 }
      case 'closeSession':
        this.#closeSession(header, events)
        return { err: 0 }
      default:
        return unreachable(change)
    }
  }

  #create(
    header: TxnHeader,
    txn: { path: string; data: Uint8Array | null; acl: readonly Acl[]; parentCVersion: number },
    owner: bigint,
    events: TreeEvent[],
    stats: boolean,
  ): Outcome {
    const parentPath = parentOf(txn.path)
    const parent = this.#node(parentPath)
    invariant(!this.#cache.isInMemory(txn.path), 'a created node did not exist')
    const { zxid, time } = header
    const node = newNode(txn.path, {
      // The txn is a view of a whole batch; the node lives longer.
      data: txn.data === null ? null : txn.data.slice(),
      acl: sharedAcl(txn.acl),
      czxid: zxid,
      mzxid: zxid,
      pzxid: zxid,
      ctime: time,
      mtime: time,
      version: 0,
      creations: 0,
      aversion: 0,
      owner,
      childCount: 0,
      digest: 0,
    })
    this.#cache.add(node)
    this.#cache.addName(parent, nameOf(txn.path))
    parent.childCount += 1
    parent.creations = txn.parentCVersion
    parent.pzxid = zxid
    this.#changed(parent)
    this.#digest.changed(node)
    this.#nodes += 1
    this.#dataBytes += txn.path.length + (node.data?.length ?? 0)
    this.#owned.add(owner, txn.path)
    this.#quotas.created(txn.path, node)
    events.push({ type: eventTypes.created, path: txn.path, acl: node.acl })
    events.push({ type: eventTypes.childrenChanged, path: parentPath, acl: parent.acl })
    return stats ? { err: 0, path: txn.path, stat: statOf(node) } : { err: 0, path: txn.path }
  }

  #delete(header: TxnHeader, path: string, events: TreeEvent[]): void {
    const node = this.#node(path)
    const parentPath = parentOf(path)
    const parent = this.#node(parentPath)
    this.#cache.remove(node)
    this.#cache.removeName(parent, nameOf(path))
    parent.childCount -= 1
    parent.pzxid = header.zxid
    this.#changed(parent)
    this.#digest.deleted(node)
    this.#nodes -= 1
    this.#dataBytes -= path.length + (node.data?.length ?? 0)
    this.#owned.remove(node.owner, path)
    this.#quotas.deleted(path, node)
    events.push({ type: eventTypes.deleted, path, acl: node.acl })
    events.push({ type: eventTypes.childrenChanged, path: parentPath, acl: parent.acl })
  }

  #setData(
    header: TxnHeader,
    txn: { path: string; data: Uint8Array | null; version: number },
    events: TreeEvent[],
    stats: boolean,
  ): Outcome {
    const node = this.#node(txn.path)
    const grown = (txn.data?.length ?? 0) - (node.data?.length ?? 0)
    // Before it grows: a node that was swept out is counted anew as it was.
    this.#changed(node)
    // A buffer for each write of a node that many write costs more than all else that is done here.
    if (grown === 0 && node.data !== null && txn.data !== null) node.data.set(txn.data)
    else node.data = txn.data === null ? null : txn.data.slice()
    node.version = txn.version
    node.mzxid = header.zxid
    node.mtime = header.time
    this.#cache.resized(grown)
    this.#dataBytes += grown
    this.#quotas.used(txn.path, grown, 0)
    events.push({ type: eventTypes.dataChanged, path: txn.path, acl: node.acl })
    return stats ? { err: 0, stat: statOf(node) } : { err: 0 }
  }

  /** The quota that covers a path, and what is used of it; undefined where none does. */
  quotaOver(path: string): QuotaOver | undefined {
    return this.#quotas.over(path)
  }

  /** All nodes below `path`. */
  countBelow(path: string): number {
    let count = -1
    for (const _ of this.#cache.subtree(path === '' ? '/' : path)) count += 1
    return Math.max(0, count)
  }

  /** Usage has no version: it is no write of anybody's. */
  #setUsage(node: CachedNode, data: Uint8Array): void {
    const grown = data.length - (node.data?.length ?? 0)
    node.data = data
    this.#cache.resized(grown)
    this.#dataBytes += grown
    this.#changed(node)
  }

  #setAcl(txn: { path: string; acl: readonly Acl[]; version: number }, stats: boolean): Outcome {
    const node = this.#node(txn.path)
    node.acl = sharedAcl(txn.acl)
    node.aversion = txn.version
    this.#changed(node)
    return stats ? { err: 0, stat: statOf(node) } : { err: 0 }
  }

  /** Sorted: members tell watchers in one order, whatever the order of their memory. */
  #closeSession(header: TxnHeader, events: TreeEvent[]): void {
    const session = asSessionId(header.session)
    for (const path of [...this.ephemeralsOf(session)].toSorted()) {
      this.#delete(header, path, events)
    }
    this.#sessions.close(session)
  }

  #node(path: string): CachedNode {
    const node = this.#cache.get(path)
    invariant(node !== undefined, `a txn names nodes that exist (${path})`)
    return node
  }

  #changed(node: CachedNode): void {
    this.#cache.change(node)
    this.#digest.changed(node)
  }

  #plant(): void {
    for (const [path, first] of firstNodes()) {
      const node = newNode(path, first)
      this.#cache.add(node)
      this.#digest.changed(node)
      this.#nodes += 1
      this.#dataBytes += path.length
      const parent = path === '/' ? undefined : this.#cache.get(parentOf(path))
      if (parent !== undefined) this.#cache.addName(parent, nameOf(path))
    }
  }
}
