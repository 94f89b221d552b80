/**
 * Writes: a request and the pending view → a change, or why not. Checks stand in ZooKeeper's order; the first that
 * fails answers.
 */
import type {
  Acl,
  CheckVersionRequest,
  CreateRequest,
  DeleteRequest,
  SetAclRequest,
  SetDataRequest,
} from '../jute/records.ts'
import type { SessionId, Zxid } from '../shared/units.ts'
import { allows, type Identity, storableAcl } from '../tree/acl.ts'
import { parentOf, pathFault } from '../tree/path.ts'
import type { Change } from '../tree/txn.ts'
import { createFlags, permissions } from '../wire/opcodes.ts'
import type { Refusal } from '../wire/refusals.ts'
import type { PendingNode, PendingView } from './pending.ts'

/** Who asks, and which zxid the txn will have. */
export interface Asker {
  readonly session: SessionId
  readonly identities: readonly Identity[]
  readonly zxid: Zxid
}

/** The change a write will make, or why it is refused. */
export type Prepared = Change | Refusal

export const prepareCreate = (request: CreateRequest, asker: Asker, view: PendingView): Prepared =>
  prepareCreateAs('create', request, asker, view)

export const prepareCreate2 = (request: CreateRequest, asker: Asker, view: PendingView): Prepared =>
  prepareCreateAs('create2', request, asker, view)

function prepareCreateAs(
  type: 'create' | 'create2',
  request: CreateRequest,
  asker: Asker,
  view: PendingView,
): Prepared {
  const { flags, data } = request
  if (flags < createFlags.persistent || flags > createFlags.persistentSequentialWithTtl) {
    return 'BadArguments'
  }
  // Containers and TTL nodes have operations of their own.
  if (flags > createFlags.ephemeralSequential) return 'BadArguments'
  if (!request.path.includes('/') || request.path.includes('\0')) return 'BadArguments'
  const acl = storableAcl(request.acl)
  if (acl === undefined) return 'InvalidAcl'
  const parentPath = parentOf(request.path)
  const parent = view.get(parentPath)
  if (parent === undefined) return 'NoNode'
  if (!allows(parent.acl, permissions.create, asker.identities)) return 'NoAuth'
  const isSequential = (flags & 2) !== 0
  const path = isSequential ? request.path + sequenceSuffix(parent.creations) : request.path
  if (pathFault(path) !== undefined) return 'BadArguments'
  if (view.get(path) !== undefined) return 'NodeExists'
  if (isOwnedBySession(parent)) return 'NoChildrenForEphemerals'
  const ephemeral = (flags & 1) !== 0
  const edited = view.edit(parentPath, parent, asker.zxid)
  edited.creations = (edited.creations + 1) | 0
  edited.childCount += 1
  view.create(path, ephemeral ? asker.session : 0n, acl, asker.zxid)
  return { type, path, data, acl, ephemeral, parentCVersion: edited.creations }
}

export function prepareDelete(request: DeleteRequest, asker: Asker, view: PendingView): Prepared {
  const { path } = request
  if (pathFault(path) !== undefined || protectedPaths.has(path)) return 'BadArguments'
  const parentPath = parentOf(path)
  const parent = view.get(parentPath)
  if (parent === undefined) return 'NoNode'
  if (!allows(parent.acl, permissions.delete, asker.identities)) return 'NoAuth'
  const node = view.get(path)
  if (node === undefined) return 'NoNode'
  if (!matches(request.version, node.version)) return 'BadVersion'
  if (node.childCount > 0) return 'NotEmpty'
  view.edit(parentPath, parent, asker.zxid).childCount -= 1
  view.remove(path, asker.zxid)
  return { type: 'delete', path }
}

export function prepareSetData(request: SetDataRequest, asker: Asker, view: PendingView): Prepared {
  const { path, data } = request
  if (pathFault(path) !== undefined) return 'BadArguments'
  const node = view.get(path)
  if (node === undefined) return 'NoNode'
  if (!allows(node.acl, permissions.write, asker.identities)) return 'NoAuth'
  if (!matches(request.version, node.version)) return 'BadVersion'
  const edited = view.edit(path, node, asker.zxid)
  edited.version = nextVersion(edited.version)
  return { type: 'setData', path, data, version: edited.version }
}

export function prepareSetAcl(request: SetAclRequest, asker: Asker, view: PendingView): Prepared {
  const { path } = request
  if (pathFault(path) !== undefined) return 'BadArguments'
  const acl: readonly Acl[] | undefined = storableAcl(request.acl)
  if (acl === undefined) return 'InvalidAcl'
  const node = view.get(path)
  if (node === undefined) return 'NoNode'
  if (!allows(node.acl, permissions.admin, asker.identities)) return 'NoAuth'
  if (!matches(request.version, node.aversion)) return 'BadVersion'
  const edited = view.edit(path, node, asker.zxid)
  edited.aversion = nextVersion(edited.aversion)
  edited.acl = acl
  return { type: 'setAcl', path, acl, version: edited.aversion }
}

/** Only inside a multi. */
export function prepareCheck(
  request: CheckVersionRequest,
  asker: Asker,
  view: PendingView,
): Prepared {
  const { path } = request
  if (pathFault(path) !== undefined) return 'BadArguments'
  const node = view.get(path)
  if (node === undefined) return 'NoNode'
  if (!allows(node.acl, permissions.read, asker.identities)) return 'NoAuth'
  if (!matches(request.version, node.version)) return 'BadVersion'
  return { type: 'check', path, version: nextVersion(node.version) }
}

const protectedPaths: ReadonlySet<string> = new Set([
  '/',
  '/zookeeper',
  '/zookeeper/quota',
  '/zookeeper/config',
])

/** `%010d` of a signed int, as Java prints it. */
export function sequenceSuffix(creations: number): string {
  const digits = String(Math.abs(creations))
  return creations < 0 ? `-${digits.padStart(9, '0')}` : digits.padStart(10, '0')
}

/** −1 asks for no check. */
const matches = (wanted: number, present: number): boolean => wanted === -1 || wanted === present

/** Versions are 32-bit and wrap as Java's do. */
const nextVersion = (version: number): number => (version + 1) | 0

/** Containers and TTL nodes keep negative owners of their own and may have children. */
const isOwnedBySession = (node: Readonly<PendingNode>): boolean => node.owner !== 0n
