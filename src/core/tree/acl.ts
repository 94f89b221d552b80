/** Who may do what: evaluation of a znode's ACL, and what an ACL must look like to be stored. */
import type { Acl } from '../jute/records.ts'

/** An identity a session proved, as `whoAmI` would list it. */
export interface Identity {
  readonly scheme: string
  readonly id: string
}

/** Does some entry grant one of the permission bits to one of the identities, or to anyone? */
export function allows(
  acl: readonly Acl[],
  wanted: number,
  identities: readonly Identity[],
): boolean {
  for (const { perms, id } of acl) {
    if ((perms & wanted) === 0) continue
    if (id.scheme === 'world' && id.id === 'anyone') return true
    for (const identity of identities) {
      if (identity.scheme === id.scheme && identity.id === id.id) return true
    }
  }
  return false
}

/** The list as it will be stored, without repeats; undefined where ZooKeeper answers InvalidACL. */
export function storableAcl(acl: readonly Acl[]): readonly Acl[] | undefined {
  if (acl.length === 0) return undefined
  const kept: Acl[] = []
  for (const entry of acl) {
    if (entry.id.scheme !== 'world' || entry.id.id !== 'anyone') return undefined
    if (!kept.some((known) => known.perms === entry.perms)) kept.push(entry)
  }
  return kept
}
