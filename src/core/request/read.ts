/** Reads: a request and the applied tree → a reply, or why not. A read may leave a watch behind. */
import type { Decoded } from '../jute/codec.ts'
import type * as jute from '../jute/records.ts'
import { allows, type Identity } from '../tree/acl.ts'
import type { Tree } from '../tree/tree.ts'
import { statOf, type Znode } from '../tree/znode.ts'
import { permissions } from '../wire/opcodes.ts'
import type { Refusal } from '../wire/refusals.ts'

/** Who reads, and where his watches go. */
export interface ReadContext {
  readonly tree: Tree
  readonly identities: readonly Identity[]
  watchData(path: string): void
  watchChildren(path: string): void
}

/** The reply's record, or why there is none. */
export type Read<T> = { readonly value: T } | Refusal

type Reply<C> = Read<Decoded<C>>

export function readExists(
  request: jute.WatchedPathRequest,
  context: ReadContext,
): Reply<typeof jute.StatResponse> {
  const node = context.tree.get(request.path)
  if (node !== undefined && !mayRead(node, context)) return 'NoAuth'
  // A watch on a node that is missing waits for its creation.
  if (request.watch) context.watchData(request.path)
  return node === undefined ? 'NoNode' : { value: { stat: statOf(node) } }
}

export function readData(
  request: jute.WatchedPathRequest,
  context: ReadContext,
): Reply<typeof jute.GetDataResponse> {
  const node = readable(request.path, context)
  if (typeof node === 'string') return node
  if (request.watch) context.watchData(request.path)
  return { value: { data: node.data, stat: statOf(node) } }
}

export function readChildren(
  request: jute.WatchedPathRequest,
  context: ReadContext,
): Reply<typeof jute.GetChildren2Response> {
  const node = readable(request.path, context)
  if (typeof node === 'string') return node
  if (request.watch) context.watchChildren(request.path)
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
  return { value: { acl: node.acl, stat: statOf(node) } }
}

function readable(path: string, context: ReadContext): Readonly<Znode> | Refusal {
  const node = context.tree.get(path)
  if (node === undefined) return 'NoNode'
  return mayRead(node, context) ? node : 'NoAuth'
}

const mayRead = (node: Readonly<Znode>, context: ReadContext): boolean =>
  allows(node.acl, permissions.read, context.identities)
