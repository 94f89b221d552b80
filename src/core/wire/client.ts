/**
 * Whose bytes a WebSocket carries. A bridge speaks for clients whom the platform cannot see; it vouches for them with the
 * secret it shares with the Worker: `address;subject;milliseconds since 1970;mac`. How a mac is made is left to whoever
 * has cryptography.
 */
import { limits } from '../shared/limits.ts'

/** What is known of a client before it says anything. */
export interface Client {
  /** `127.0.0.1:50412`; empty where nobody knows. */
  readonly address: string
  /** Of the certificate it proved to have, as RFC 2253 writes it; empty without one. */
  readonly subject: string
}

/** Of an upgrade request: the client as a bridge vouches for it. */
export const vouchedClientHeader = 'x-durable-keeper-client'

/** Of the Worker's request to a session actor: the client as the Worker believes it to be. */
export const knownClientHeaders = {
  address: 'x-durable-keeper-address',
  subject: 'x-durable-keeper-subject',
} as const

/** Headers hold Latin-1 and no line ends; names may have anything. */
export const writeSubject = (subject: string): string => encodeURIComponent(subject)
/** Undefined for what writeSubject did not write. */
export function readSubject(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch (fault) {
    if (!(fault instanceof URIError)) throw fault
    return undefined
  }
}

/** Bridge and Worker derive their macs from the same text. */
const macText = (vouched: string): string => `durable-keeper client\n${vouched}`

export function vouchFor(
  { address, subject }: Client,
  nowMs: number,
  macOf: (text: string) => string,
): string {
  const vouched = `${address};${writeSubject(subject)};${nowMs}`
  return `${vouched};${macOf(macText(vouched))}`
}

/** Undefined when nobody with the secret vouches for the client, or did so too long ago. */
export function vouchedClient(
  header: string,
  nowMs: number,
  isMacOf: (mac: string, text: string) => boolean,
): Client | undefined {
  const parts = header.split(';')
  const [address = '', written = '', atMs, mac = ''] = parts
  const subject = readSubject(written)
  if (parts.length !== 4 || subject === undefined) return undefined
  if (!isMacOf(mac, macText(`${address};${written};${atMs}`))) return undefined
  // Two machines' clocks need not agree, so it may come from a little later too.
  const isFresh = Math.abs(nowMs - Number(atMs)) <= limits.vouchedClientAgeMsMax
  return isFresh ? { address, subject } : undefined
}
