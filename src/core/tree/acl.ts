/** Who may do what: evaluation of a znode's ACL, and what an ACL must look like to be stored. */
import type { Acl } from '../jute/records.ts'
import { limits } from '../shared/limits.ts'
import { permissions } from '../wire/opcodes.ts'
import { isAddressPattern, matchesAddress } from './address.ts'

/** An identity a session proved, or has by its address; `whoAmI` lists them. */
export interface Identity {
  readonly scheme: string
  readonly id: string
}

export const worldAnyone: readonly Acl[] = [
  { perms: permissions.all, id: { scheme: 'world', id: 'anyone' } },
]

/** Does some entry grant one of the permission bits to one of the identities, or to anyone? */
export function allows(
  acl: readonly Acl[],
  wanted: number,
  identities: readonly Identity[],
): boolean {
  for (const { perms, id } of acl) {
    if ((perms & wanted) === 0) continue
    if (id.scheme === 'world' && id.id === 'anyone') return true
    for (const identity of identities) if (isGrantedTo(id, identity)) return true
  }
  return identities.some(isSuper)
}

/** The list as it will be stored; undefined where ZooKeeper answers InvalidACL (PrepRequestProcessor.fixupACL). */
export function storableAcl(
  acl: readonly Acl[],
  identities: readonly Identity[],
): readonly Acl[] | undefined {
  const stored: Acl[] = []
  // Looked at while it grows: of a list of 80,000 entries each may stand for all that a session has proved.
  let room = bytesOfAcl(acl) + limits.aclGrowthBytesMax
  const store = (entry: Acl): void => {
    room -= bytesOfEntry(entry)
    if (room >= 0) stored.push(entry)
  }
  for (const entry of withoutRepeats(acl)) {
    const { perms, id } = entry
    if (id.scheme === 'auth') {
      const proved = identities.filter(isProved)
      if (proved.length === 0) return undefined
      for (const identity of proved) store({ perms, id: identity })
    } else if (isValidId(id)) store(entry)
    else return undefined
    if (room < 0) return undefined
  }
  return stored.length === 0 ? undefined : stored
}

/** As a txn holds it, for names in ASCII. */
export const bytesOfAcl = (acl: readonly Acl[]): number =>
  acl.reduce((sum, entry) => sum + bytesOfEntry(entry), 0)

const bytesOfEntry = ({ id }: Acl): number => 12 + id.scheme.length + id.id.length

/** What somebody without ADMIN is shown: who, but no hash of a password (CVE-2019-0201). */
export function redacted(acl: readonly Acl[]): readonly Acl[] {
  return acl.map(({ perms, id }) => {
    const colon = id.id.indexOf(':')
    if (id.scheme !== 'digest' || colon < 0) return { perms, id }
    return { perms, id: { scheme: id.scheme, id: `${id.id.slice(0, colon)}:x` } }
  })
}

/** The name `whoAmI` shows. The id of `super` is empty, and so is its name. */
export function userOf({ scheme, id }: Identity): string {
  return scheme === 'digest' ? (id.split(':')[0] ?? '') : id
}

const isSuper = ({ scheme }: Identity): boolean => scheme === 'super'

/** An address is had, not proved: `auth` does not stand for it. */
const isProved = ({ scheme }: Identity): boolean => scheme === 'digest' || scheme === 'x509'

function isGrantedTo(granted: Identity, identity: Identity): boolean {
  if (granted.scheme !== identity.scheme) return false
  return granted.scheme === 'ip'
    ? matchesAddress(granted.id, identity.id)
    : granted.id === identity.id
}

function isValidId({ scheme, id }: Identity): boolean {
  switch (scheme) {
    case 'world':
      return id === 'anyone'
    case 'digest':
      // Two parts, as Java splits: what is empty at the end is no part.
      return /^[^:]*:[^:]+:*$/.test(id)
    case 'ip':
      return isAddressPattern(id)
    case 'x509':
      return id.includes('=')
    default:
      return false
  }
}

/** In time that grows with the list: a frame holds 80,000 entries, and comparing each with each takes 10 s. */
function withoutRepeats(acl: readonly Acl[]): readonly Acl[] {
  if (acl.length < 2) return acl
  const kept = new Map<string, Acl>()
  for (const entry of acl) {
    const { perms, id } = entry
    const name = `${perms} ${id.scheme.length} ${id.scheme}${id.id}`
    if (!kept.has(name)) kept.set(name, entry)
  }
  return [...kept.values()]
}

/** Most nodes share a few ACLs; keeping one copy of each is ZooKeeper's ReferenceCountedACLCache. */
export function sharedAcl(acl: readonly Acl[]): readonly Acl[] {
  const only = acl.length === 1 ? acl[0] : undefined
  const isWorld = only?.perms === permissions.all && only.id.scheme === 'world'
  return isWorld ? worldAnyone : acl
}
