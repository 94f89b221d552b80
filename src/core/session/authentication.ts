/** What an auth packet proves (ProviderRegistry): the schemes of ZooKeeper's defaults. */
import { textOf } from '../jute/codec.ts'
import type { Identity } from '../tree/acl.ts'

/** What the core cannot know or compute by itself. */
export interface Authentication {
  /** `super:` and the hash, of whoever may do everything; undefined: nobody. */
  readonly superDigest: string | undefined
  /** SHA-1 in base64. */
  sha1(bytes: Uint8Array): string
}

/** The identities that the packet adds; undefined where ZooKeeper answers AuthFailed. */
export function proved(
  scheme: string,
  auth: Uint8Array | null,
  own: readonly Identity[],
  authentication: Authentication,
): readonly Identity[] | undefined {
  if (scheme === 'ip') return own.filter((identity) => identity.scheme === 'ip')
  if (scheme !== 'digest' || auth === null) return undefined
  const id = `${userIn(auth)}:${authentication.sha1(auth)}`
  const digest = { scheme: 'digest', id }
  return id === authentication.superDigest ? [{ scheme: 'super', id: '' }, digest] : [digest]
}

/** Everything before the first colon of `user:password`. */
function userIn(auth: Uint8Array): string {
  const colon = auth.indexOf(0x3a)
  return textOf(colon < 0 ? auth : auth.subarray(0, colon))
}
