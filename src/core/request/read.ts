/** Reads: a request and the applied tree → a reply, or why not. A read may leave a watch behind. */
import type { Decoded } from '../jute/codec.ts'
import type * as jute from '../jute/records.ts'
import type { SessionId } from '../shared/units.ts'
import { allows, type Identity, redacted, userOf } from '../tree/acl.ts'
import type { Tree } from '../tree/tree.ts'
import { statOf, type Znode } from '../tree/znode.ts'
import { permissions, watcherTypes } from '../wire/opcodes.ts'
import type { Refusal } from '../wire/refusals.ts'

/** Who reads, and where his watches go. */
export interface ReadContext {
  readonly tree: Tree
  readonly identities: readonly Identity[]
  readonly session: SessionId
  readonly watches: ReaderWatches
}

/** The reader's watches at this member. */
export interface ReaderWatches {
  watchData(path: string): void
  watchChildren(path: string): void
  watchAlways(path: string): void
  watchSubtree(path: string): void
  has(path: string, type: number): boolean
  remove(path: string, type: number): boolean
}

/** The reply's record, or why there is none. */
export type Read<T> = { readonly value: T } | Refusal

type Reply<C> = Read<Decoded<C>>

export function readExists(
  request: jute.WatchedPathRequest,
  context: ReadContext,
): Reply<typeof jute.StatResponse> {
  // Of the reads this one alone looks at the path.
  if (request.path.includes('\0')) return 'BadArguments'
  const node = context.tree.get(request.path)
  if (node !== undefined && !mayRead(node, context)) return 'NoAuth'
  // A watch on a node that is missing waits for its creation.
  if (request.watch) context.watches.watchData(request.path)
  return node === undefined ? 'NoNode' : { value: { stat: statOf(node) } }
}

export function readData(
  request: jute.WatchedPathRequest,
  context: ReadContext,
): Reply<typeof jute.GetDataResponse> {
  const node = readable(request.path, context)
  if (typeof node === 'string') return node
  if (request.watch) context.watches.watchData(request.path)
  return { value: { data: node.data, stat: statOf(node) } }
}

export function readChildren(
  request: jute.WatchedPathRequest,
  context: ReadContext,
): Reply<typeof jute.GetChildren2Response> {
  const node = readable(request.path, context)
  if (typeof node === 'string') return node
  if (request.watch) context.watches.watchChildren(request.path)
  const names = context.tree.children(request.path) ?? []
  return { value: { children: [...names], stat: statOf(node) } }
}

export function readAcl(
  request: { readonly path: string },
  context: ReadContext,
): Reply<typeof jute.GetAclResponse> {
  const node = context.tree.get(request.path)
  if (node === undefined) return 'NoNode'
  const wanted = permissions.read | permissions.admin
  if (!allows(node.acl, wanted, context.identities)) return 'NoAuth'
  const isAdmin = allows(node.acl, permissions.admin, context.identities)
  return { value: { acl: isAdmin ? node.acl : redacted(node.acl), stat: statOf(node) } }
}

/** The session's own ephemerals whose path begins with the prefix; an empty one is no prefix. */
export function readEphemerals(
  { prefixPath }: { readonly prefixPath: string | null },
  { tree, session }: ReadContext,
): Reply<typeof jute.GetEphemeralsResponse> {
  const trimmed = prefixPath?.trim() ?? ''
  const prefix = trimmed === '' || trimmed === '/' ? '' : (prefixPath ?? '')
  const paths = [...tree.ephemeralsOf(session)]
  return { value: { ephemerals: paths.filter((path) => path.startsWith(prefix)) } }
}

export function readDescendantCount(
  { path }: { readonly path: string },
  context: ReadContext,
): Reply<typeof jute.GetAllChildrenNumberResponse> {
  const node = readable(path, context)
  if (typeof node === 'string') return node
  // What starts with '' and a slash: the root itself is among it, in ZooKeeper's count.
  const root = path === '' ? 1 : 0
  return { value: { totalNumber: context.tree.countBelow(path) + root } }
}

export function readIdentities(
  _: unknown,
  { identities }: ReadContext,
): Reply<typeof jute.WhoAmIResponse> {
  const clientInfo = identities.map((one) => ({ authScheme: one.scheme, user: userOf(one) }))
  return { value: { clientInfo } }
}

/** A watch that stays; any path may be watched, and nobody's permission is asked: events are filtered instead. */
export function addWatch(
  { path, mode }: { readonly path: string; readonly mode: number },
  { watches }: ReadContext,
): Reply<typeof jute.ErrorResponse> {
  if (mode === 0) watches.watchAlways(path)
  else if (mode === 1) watches.watchSubtree(path)
  else return 'MarshallingError'
  return { value: { err: 0 } }
}

export function checkWatches(request: WatchesQuestion, { watches }: ReadContext): Read<undefined> {
  if (!isWatcherType(request.type)) return 'MarshallingError'
  return watches.has(request.path, request.type) ? { value: undefined } : 'NoWatcher'
}

export function removeWatches(request: WatchesQuestion, { watches }: ReadContext): Read<undefined> {
  if (!isWatcherType(request.type)) return 'MarshallingError'
  return watches.remove(request.path, request.type) ? { value: undefined } : 'NoWatcher'
}

interface WatchesQuestion {
  readonly path: string
  readonly type: number
}

const isWatcherType = (type: number): boolean =>
  type >= watcherTypes.children && type <= watcherTypes.persistentRecursive

function readable(path: string, context: ReadContext): Readonly<Znode> | Refusal {
  const node = context.tree.get(path)
  if (node === undefined) return 'NoNode'
  return mayRead(node, context) ? node : 'NoAuth'
}

const mayRead = (node: Readonly<Znode>, context: ReadContext): boolean =>
  allows(node.acl, permissions.read, context.identities)
