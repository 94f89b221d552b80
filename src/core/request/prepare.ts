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
import { containerOwner, isSessionOwner, ttlMaxMs, ttlOwner } from '../tree/owner.ts'
import { configPath, parentOf, pathFault } from '../tree/path.ts'
import type { Change } from '../tree/txn.ts'
import { createFlags, permissions } from '../wire/opcodes.ts'
import type { Refusal } from '../wire/refusals.ts'
import type { PendingView } from './pending.ts'

/** Who asks, and which zxid the txn will have. */
export interface Asker {
  readonly session: SessionId
  /** No txn made the session: it can own nothing. */
  readonly isLocal: boolean
  readonly identities: readonly Identity[]
  readonly zxid: Zxid
  readonly rules: Rules
  /** A quota is exceeded and the write goes through all the same. */
  warn(warning: QuotaWarning): void
}

/** A limit of a quota that a write exceeds. */
export interface QuotaWarning {
  readonly subject: string
  readonly limit: 'count' | 'bytes' | 'countHardLimit' | 'byteHardLimit'
  readonly allowed: number
  readonly used: number
}

/** The change a write will make, or why it is refused. */
export type Prepared = Change | Refusal

/** What the operator decided that a check depends on. */
export interface Rules {
  readonly extendedTypesEnabled: boolean
  readonly enforceQuota: boolean
  readonly reconfigEnabled: boolean
  readonly standaloneEnabled: boolean
  /** No member may have a higher number. */
  readonly maxMembers: number
  /**
   * The leader's disk is nearly full: nothing may be added. ZooKeeper has no code for it; SystemError is the one that
   * every client knows, raises and does not try again (kazoo falls over QuotaExceeded).
   */
  readonly isStorageFull: boolean
}

type CreateType = 'create' | 'create2' | 'createContainer' | 'createTtl'
type AnyCreate = CreateRequest & { readonly ttl?: number }

const createAs =
  (type: CreateType) =>
  (request: AnyCreate, asker: Asker, view: PendingView): Prepared =>
    prepareCreateAs(type, request, asker, view)

export const prepareCreate = createAs('create')
export const prepareCreate2 = createAs('create2')
export const prepareCreateContainer = createAs('createContainer')
export const prepareCreateTtl = createAs('createTtl')

/** PrepRequestProcessor.pRequest2TxnCreate. The operation decides what is made, the flags how it is named and owned. */
function prepareCreateAs(
  type: CreateType,
  request: AnyCreate,
  asker: Asker,
  view: PendingView,
): Prepared {
  const { flags, data } = request
  const fault = flagFault(type, request, asker.rules)
  if (fault !== undefined) return fault
  if (asker.isLocal && isEphemeral(flags)) return 'EphemeralOnLocalSession'
  if (!isPathLike(request.path)) return 'BadArguments'
  const acl = storableAcl(request.acl, asker.identities)
  if (acl === undefined) return 'InvalidAcl'
  const parentPath = parentOf(request.path)
  const parent = view.get(parentPath)
  if (parent === undefined) return 'NoNode'
  if (!allows(parent.acl, permissions.create, asker.identities)) return 'NoAuth'
  const path = isSequential(flags) ? request.path + sequenceSuffix(parent.creations) : request.path
  if (pathFault(path) !== undefined) return 'BadArguments'
  if (view.get(path) !== undefined) return 'NodeExists'
  if (isSessionOwner(parent.owner)) return 'NoChildrenForEphemerals'
  if (asker.rules.isStorageFull) return 'SystemError'
  if (exceedsQuota(view, asker, path, data?.length ?? 0, 1)) return 'QuotaExceeded'
  const edited = view.edit(parentPath, parent, asker.zxid)
  edited.creations = (edited.creations + 1) | 0
  edited.childCount += 1
  const parentCVersion = edited.creations
  const node = { path, data, acl, parentCVersion }
  if (type === 'createContainer') {
    view.create(path, containerOwner, acl, data, asker.zxid)
    return { type, ...node }
  }
  if (type === 'createTtl') {
    const ttl = request.ttl ?? 0
    view.create(path, ttlOwner(ttl), acl, data, asker.zxid)
    return { type, ...node, ttl }
  }
  const ephemeral = isEphemeral(flags)
  view.create(path, ephemeral ? asker.session : 0n, acl, data, asker.zxid)
  return { type, ...node, ephemeral }
}

const isPathLike = (path: string): boolean => path.includes('/') && !path.includes('\0')

/** CreateMode.fromFlag and EphemeralType.validateTTL, in their order. */
function flagFault(type: CreateType, request: AnyCreate, rules: Rules): Refusal | undefined {
  const { flags, ttl = -1 } = request
  if (flags < createFlags.persistent || flags > createFlags.persistentSequentialWithTtl) {
    return 'BadArguments'
  }
  const hasTtl = flags >= createFlags.persistentWithTtl
  if (hasTtl && !rules.extendedTypesEnabled) return 'Unimplemented'
  if (hasTtl) return ttl > 0 && ttl <= ttlMaxMs ? undefined : 'BadArguments'
  // A node with a time to live that is none would upset whoever reads the log: ZooKeeper itself breaks on it.
  return ttl >= 0 || type === 'createTtl' ? 'BadArguments' : undefined
}

const isSequential = (flags: number): boolean =>
  flags === createFlags.persistentSequential ||
  flags === createFlags.ephemeralSequential ||
  flags === createFlags.persistentSequentialWithTtl

const isEphemeral = (flags: number): boolean =>
  flags === createFlags.ephemeral || flags === createFlags.ephemeralSequential

/** Soft limits only warn; hard ones refuse, where quotas are enforced. Measured on what is applied, as in ZooKeeper. */
function exceedsQuota(
  view: PendingView,
  asker: Asker,
  path: string,
  bytes: number,
  count: number,
): boolean {
  const quota = view.quotaOver(path)
  if (quota === undefined) return false
  const { subject, limits, used } = quota
  const exceeds = (limit: QuotaWarning['limit'], present: number, added: number): boolean => {
    const allowed = limits[limit]
    if (allowed < 0 || present + added <= allowed) return false
    if (asker.rules.enforceQuota && limit.endsWith('HardLimit')) return true
    asker.warn({ subject, limit, allowed, used: present + added })
    return false
  }
  const isOverCount =
    count > 0 &&
    (exceeds('countHardLimit', used.count, count) || exceeds('count', used.count, count))
  if (isOverCount) return true
  return (
    bytes !== 0 &&
    (exceeds('byteHardLimit', used.bytes, bytes) || exceeds('bytes', used.bytes, bytes))
  )
}

export function prepareDelete(request: DeleteRequest, asker: Asker, view: PendingView): Prepared {
  const { path } = request
  // A bad path that has a slash simply names nothing (getParentPathAndValidate).
  if (!isPathLike(path) || protectedPaths.has(path)) return 'BadArguments'
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
  const grown = (data?.length ?? 0) - node.dataLength
  if (asker.rules.isStorageFull && grown > 0) return 'SystemError'
  if (exceedsQuota(view, asker, path, grown, 0)) return 'QuotaExceeded'
  if (!matches(request.version, node.version)) return 'BadVersion'
  const edited = view.edit(path, node, asker.zxid)
  edited.version = nextVersion(edited.version)
  edited.dataLength = data?.length ?? 0
  return { type: 'setData', path, data, version: edited.version }
}

export function prepareSetAcl(request: SetAclRequest, asker: Asker, view: PendingView): Prepared {
  const { path } = request
  if (pathFault(path) !== undefined) return 'BadArguments'
  const acl: readonly Acl[] | undefined = storableAcl(request.acl, asker.identities)
  if (acl === undefined) return 'InvalidAcl'
  const node = view.get(path)
  if (node === undefined) return 'NoNode'
  if (!allows(node.acl, permissions.admin, asker.identities)) return 'NoAuth'
  if (asker.rules.isStorageFull) return 'SystemError'
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

/** The leader's own deletion of a container that is empty, or of a node past its time: only if it still is. */
export function prepareReap(path: string, asker: Asker, view: PendingView): Prepared {
  const node = view.get(path)
  const parentPath = parentOf(path)
  const parent = view.get(parentPath)
  if (node === undefined || parent === undefined) return 'NoNode'
  if (node.childCount > 0) return 'NotEmpty'
  view.edit(parentPath, parent, asker.zxid).childCount -= 1
  view.remove(path, asker.zxid)
  return { type: 'deleteContainer', path }
}

/** What only a leader may ask of itself, refused to clients. */
export const refuseContainerDeletion = (): Prepared => 'BadArguments'

const protectedPaths: ReadonlySet<string> = new Set([
  '/',
  '/zookeeper',
  '/zookeeper/quota',
  configPath,
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
