/**
 * The tree as ZooKeeper's documentation tells it, moved by requests in the order of their zxids. Written a second time
 * and on purpose without the core's help: what both say is probably true. It keeps every version of every node, so a
 * read can be compared with the very zxid it was made at.
 */
import type { Stat } from '../../src/core/jute/records.ts'
import { createFlags, eventTypes, type EventType } from '../../src/core/wire/opcodes.ts'
import { errorCodes } from '../../src/core/wire/refusals.ts'

export type Write =
  | {
      readonly type: 'create'
      readonly path: string
      readonly data: string
      readonly flags: number
    }
  | { readonly type: 'set'; readonly path: string; readonly data: string; readonly version: number }
  | { readonly type: 'delete' | 'check'; readonly path: string; readonly version: number }
  | { readonly type: 'multi'; readonly operations: readonly Write[] }
export interface Read {
  readonly type: 'get' | 'exists' | 'children'
  readonly path: string
  readonly watch: boolean
}
export type Operation =
  | Write
  | Read
  | { readonly type: 'addWatch'; readonly path: string; readonly recursive: boolean }
  | { readonly type: 'removeWatches'; readonly path: string }
  | { readonly type: 'sync'; readonly path: string }
  | { readonly type: 'close' }
  | Reconfiguration

export interface Reconfiguration {
  readonly type: 'reconfig'
  readonly joining: { readonly sid: number; readonly votes: boolean } | undefined
  readonly leaving: number | undefined
}

/** What a client is answered, as far as the model can foretell it. */
export interface Answer {
  readonly err: number
  readonly path?: string
  readonly stat?: Stat
  readonly data?: string
  readonly children?: readonly string[]
  readonly results?: readonly Answer[]
}

export interface ModelEvent {
  readonly zxid: number
  readonly type: EventType
  readonly path: string
}

interface ModelNode {
  readonly data: string
  readonly czxid: number
  readonly mzxid: number
  readonly pzxid: number
  readonly ctime: number
  readonly mtime: number
  readonly version: number
  readonly cversion: number
  readonly owner: bigint
  /** Children ever created. */
  readonly created: number
  readonly children: readonly string[]
}

interface Version {
  readonly zxid: number
  readonly node: ModelNode | undefined
}

/** What a change is made by. */
interface Asker {
  readonly session: bigint
  readonly zxid: number
  readonly timeMs: number
}

const planted: ModelNode = {
  data: '',
  czxid: 0,
  mzxid: 0,
  pzxid: 0,
  ctime: 0,
  mtime: 0,
  version: 0,
  cversion: 0,
  owner: 0n,
  created: 0,
  children: [],
}

export class Model {
  readonly #versions = new Map<string, Version[]>([
    ['/', [{ zxid: 0, node: { ...planted, cversion: -1, children: ['zookeeper'] } }]],
  ])
  readonly sessions = new Set<bigint>()
  /** Everything a watcher may be told, in order. */
  readonly events: ModelEvent[] = []

  /** The paths that exist. */
  get paths(): string[] {
    return [...this.#versions.keys()].filter((path) => this.at(path) !== undefined)
  }

  /** The node as it was right after `zxid`; as it is without one. */
  at(path: string, zxid = Infinity): ModelNode | undefined {
    const versions = this.#versions.get(path)
    if (versions === undefined) return undefined
    for (let at = versions.length - 1; at >= 0; at--) {
      const version = versions[at] as Version
      if (version.zxid <= zxid) return version.node
    }
    return undefined
  }

  stat(path: string, zxid = Infinity): Stat | undefined {
    const node = this.at(path, zxid)
    return node && statOf(node)
  }

  ownedBy(session: bigint): string[] {
    return this.paths.filter((path) => this.at(path)?.owner === session).toSorted()
  }

  open(session: bigint): void {
    this.sessions.add(session)
  }

  /** The session's end: all its ephemerals at this one zxid. */
  end(asker: Asker): string[] {
    const paths = this.ownedBy(asker.session)
    for (const path of paths) this.#delete(path, asker)
    this.sessions.delete(asker.session)
    return paths
  }

  /** Makes a write; a refused one changes nothing. */
  write(operation: Write, asker: Asker): Answer {
    switch (operation.type) {
      case 'create':
        return this.#create(operation, asker)
      case 'set':
        return this.#set(operation, asker)
      case 'delete':
        return this.#remove(operation, asker)
      case 'check':
        return this.#check(operation.path, operation.version) ?? { err: 0 }
      case 'multi':
        return this.#multi(operation.operations, asker)
    }
  }

  /** What a read is answered that is made right after `zxid`. */
  read(operation: Read, zxid: number): Answer {
    const node = this.at(operation.path, zxid)
    if (node === undefined) return { err: errorCodes.NoNode }
    const stat = statOf(node)
    switch (operation.type) {
      case 'get':
        return { err: 0, data: node.data, stat }
      case 'exists':
        return { err: 0, stat }
      case 'children':
        return { err: 0, children: node.children, stat }
    }
  }

  /** Where in `events` those after `zxid` begin. */
  eventsAfter(zxid: number): number {
    let at = this.events.length
    while (at > 0 && (this.events[at - 1] as ModelEvent).zxid > zxid) at -= 1
    return at
  }

  #create({ path, data, flags }: Write & { readonly type: 'create' }, asker: Asker): Answer {
    const parentPath = parentOf(path)
    const parent = this.at(parentPath)
    if (parent === undefined) return { err: errorCodes.NoNode }
    const isSequential =
      flags === createFlags.persistentSequential || flags === createFlags.ephemeralSequential
    const isEphemeral = flags === createFlags.ephemeral || flags === createFlags.ephemeralSequential
    const whole = isSequential ? path + String(parent.created).padStart(10, '0') : path
    if (this.at(whole) !== undefined) return { err: errorCodes.NodeExists }
    if (parent.owner !== 0n) return { err: errorCodes.NoChildrenForEphemerals }
    const { zxid, timeMs } = asker
    const node = {
      ...planted,
      data,
      czxid: zxid,
      mzxid: zxid,
      pzxid: zxid,
      ctime: timeMs,
      mtime: timeMs,
      owner: isEphemeral ? asker.session : 0n,
    }
    this.#put(whole, zxid, node)
    this.#put(parentPath, zxid, {
      ...parent,
      pzxid: zxid,
      created: parent.created + 1,
      cversion: parent.cversion + 1,
      children: [...parent.children, nameOf(whole)].toSorted(),
    })
    this.#tell(zxid, eventTypes.created, whole)
    this.#tell(zxid, eventTypes.childrenChanged, parentPath)
    return { err: 0, path: whole, stat: statOf(node) }
  }

  #set({ path, data, version }: Write & { readonly type: 'set' }, asker: Asker): Answer {
    const refused = this.#check(path, version)
    if (refused) return refused
    const node = this.at(path) as ModelNode
    const { zxid, timeMs } = asker
    const next = { ...node, data, version: node.version + 1, mzxid: zxid, mtime: timeMs }
    this.#put(path, zxid, next)
    this.#tell(zxid, eventTypes.dataChanged, path)
    return { err: 0, stat: statOf(next) }
  }

  #remove(
    { path, version }: { readonly path: string; readonly version: number },
    asker: Asker,
  ): Answer {
    const refused = this.#check(path, version)
    if (refused) return refused
    if ((this.at(path) as ModelNode).children.length > 0) return { err: errorCodes.NotEmpty }
    this.#delete(path, asker)
    return { err: 0 }
  }

  #check(path: string, version: number): Answer | undefined {
    const node = this.at(path)
    if (node === undefined) return { err: errorCodes.NoNode }
    return version === -1 || version === node.version ? undefined : { err: errorCodes.BadVersion }
  }

  #multi(operations: readonly Write[], asker: Asker): Answer {
    const eventsBefore = this.events.length
    const results: Answer[] = []
    for (const operation of operations) {
      const answer = this.write(operation, asker)
      results.push(answer)
      if (answer.err === 0) continue
      this.#takeBack(asker.zxid)
      this.events.length = eventsBefore
      const failed = results.length - 1
      const errorAt = (at: number): number =>
        at < failed ? 0 : at === failed ? answer.err : errorCodes.RuntimeInconsistency
      return { err: answer.err, results: operations.map((_, at) => ({ err: errorAt(at) })) }
    }
    return { err: 0, results }
  }

  #takeBack(zxid: number): void {
    for (const versions of this.#versions.values()) {
      while (versions.at(-1)?.zxid === zxid) versions.pop()
    }
  }

  #delete(path: string, { zxid }: Asker): void {
    const parentPath = parentOf(path)
    const parent = this.at(parentPath) as ModelNode
    this.#put(path, zxid, undefined)
    this.#put(parentPath, zxid, {
      ...parent,
      pzxid: zxid,
      cversion: parent.cversion + 1,
      children: parent.children.filter((name) => name !== nameOf(path)),
    })
    this.#tell(zxid, eventTypes.deleted, path)
    this.#tell(zxid, eventTypes.childrenChanged, parentPath)
  }

  #put(path: string, zxid: number, node: ModelNode | undefined): void {
    const versions = this.#versions.get(path)
    if (versions === undefined) this.#versions.set(path, [{ zxid, node }])
    else versions.push({ zxid, node })
  }

  #tell(zxid: number, type: EventType, path: string): void {
    this.events.push({ zxid, type, path })
  }
}

function statOf(node: ModelNode): Stat {
  return {
    czxid: node.czxid,
    mzxid: node.mzxid,
    ctime: node.ctime,
    mtime: node.mtime,
    version: node.version,
    cversion: node.cversion,
    aversion: 0,
    ephemeralOwner: node.owner,
    dataLength: node.data.length,
    numChildren: node.children.length,
    pzxid: node.pzxid,
  }
}

export const parentOf = (path: string): string => path.slice(0, path.lastIndexOf('/')) || '/'
const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1)
