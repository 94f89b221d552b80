/**
 * Whose bytes a WebSocket carries. A bridge speaks for clients whose addresses the platform cannot see; it vouches for
 * them with the secret it shares with the Worker: `address;milliseconds since 1970;mac`. How a mac is made is left to
 * whoever has cryptography.
 */
import { limits } from '../shared/limits.ts'

/** Of an upgrade request: the client's address as a bridge vouches for it. */
export const vouchedAddressHeader = 'x-durable-keeper-client'

/** Of the Worker's request to a session actor: the client's address as the Worker believes it. */
export const knownAddressHeader = 'x-durable-keeper-address'

/** Bridge and Worker derive their macs from the same text. */
const macText = (address: string, atMs: string): string =>
  `durable-keeper client\n${address}\n${atMs}`

export function vouchFor(address: string, nowMs: number, macOf: (text: string) => string): string {
  return `${address};${nowMs};${macOf(macText(address, String(nowMs)))}`
}

/** The address; undefined when nobody with the secret vouches for it, or did so too long ago. */
export function vouchedAddress(
  header: string,
  nowMs: number,
  isMacOf: (mac: string, text: string) => boolean,
): string | undefined {
  const [address = '', atMs = '', mac = '', ...rest] = header.split(';')
  if (rest.length > 0 || !isMacOf(mac, macText(address, atMs))) return undefined
  // Two machines' clocks need not agree, so it may come from a little later too.
  const isFresh = Math.abs(nowMs - Number(atMs)) <= limits.vouchedAddressAgeMsMax
  return isFresh ? address : undefined
}
