/** What an auth packet proves (ProviderRegistry): the schemes of ZooKeeper's defaults. */
import { MalformedFrame, Reader, textOf } from '../../jute/codec.ts'
import { AuthPacket } from '../../jute/records.ts'
import { limits } from '../../shared/limits.ts'
import type { Identity } from '../../tree/acl.ts'
import type { Attachment, Decided } from './attachment.ts'

/** What the core cannot know or compute by itself. */
export interface Authentication {
  /** `super:` and the hash, of whoever may do everything; undefined: nobody. */
  readonly superDigest: string | undefined
  /** SHA-1 in base64. */
  sha1(bytes: Uint8Array): string
  /** A client must have proved one of these schemes before it asks anything; empty: it need not. */
  readonly requiredSchemes: ReadonlySet<string>
}

/** Has the client proved what it must before it may ask (enforce.auth)? */
export const isProvedEnough = (
  { identities }: Attachment,
  { requiredSchemes }: Authentication,
): boolean =>
  requiredSchemes.size === 0 || identities.some(({ scheme }) => requiredSchemes.has(scheme))

const notProved = { refusal: 'AuthFailed', isLast: true } as const

/** The identities that the packet adds; undefined where ZooKeeper answers AuthFailed. */
function proved(
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

/**
 * Takes an auth packet: it counts for every request that comes in after it. Undefined for bytes that are no packet.
 */
export function prove(
  attachment: Attachment,
  frame: Uint8Array,
  authentication: Authentication,
): Decided | undefined {
  try {
    const { scheme, auth } = AuthPacket.read(new Reader(frame, 8))
    const added = proved(scheme, auth, attachment.identities, authentication)
    if (added === undefined) return notProved
    const isNew = (one: Identity): boolean =>
      !attachment.identities.some(({ scheme: known, id }) => known === one.scheme && id === one.id)
    const identities = [...attachment.identities, ...added.filter(isNew)]
    if (bytesOf(identities) > limits.identityBytesMax) return notProved
    attachment.identities = identities
    const { edge, slot } = attachment
    edge.outbox.send({ type: 'proved', slot, identities: identities.filter(isNotAddress) })
    return 'proved'
  } catch (fault) {
    if (!(fault instanceof MalformedFrame)) throw fault
    return undefined
  }
}

const bytesOf = (identities: readonly Identity[]): number =>
  identities.reduce((sum, { scheme, id }) => sum + scheme.length + id.length, 0)

const isNotAddress = ({ scheme }: Identity): boolean => scheme !== 'ip'
