/** IP addresses of the `ip` scheme: v4 and v6, alone or with a prefix length (IPAuthenticationProvider of 3.9.5). */

/** Is it `address` or `address/bits`? */
export function isAddressPattern(text: string): boolean {
  const { address, bits } = partsOf(text)
  const bytes = addressBytes(address)
  if (bytes === undefined) return false
  return bits === undefined || (/^\d+$/.test(bits) && Number(bits) <= bytes.length * 8)
}

/** Does the pattern cover the address? Both as `isAddressPattern` has checked, or not at all. */
export function matchesAddress(pattern: string, address: string): boolean {
  const { address: wanted, bits } = partsOf(pattern)
  const [a, b] = [addressBytes(wanted), addressBytes(address)]
  if (a === undefined || b === undefined || a.length !== b.length) return false
  let left = bits === undefined ? a.length * 8 : Number(bits)
  for (let at = 0; at < a.length && left > 0; at++, left -= 8) {
    const mask = left >= 8 ? 0xff : (0xff << (8 - left)) & 0xff
    if (((a[at] as number) & mask) !== ((b[at] as number) & mask)) return false
  }
  return true
}

/**
 * The address of `127.0.0.1:5000` and `[::1]:5000`; one without a port is taken as it is. Who comes by v4 to a port that
 * listens to both is `[::ffff:127.0.0.1]:5000`, and is meant by 127.0.0.1, as in Java.
 */
export function hostOf(peer: string): string {
  return withoutPort(peer).replace(/^::ffff:(?=\d+\.)/i, '')
}

function withoutPort(peer: string): string {
  const bracketed = /^\[([^\]]*)\](?::\d+)?$/.exec(peer)
  if (bracketed !== null) return bracketed[1] ?? ''
  const parts = peer.split(':')
  return parts.length === 2 ? (parts[0] ?? '') : peer
}

function partsOf(pattern: string): { readonly address: string; readonly bits: string | undefined } {
  const slash = pattern.indexOf('/')
  if (slash < 0) return { address: pattern, bits: undefined }
  return { address: pattern.slice(0, slash), bits: pattern.slice(slash + 1) }
}

function addressBytes(text: string): number[] | undefined {
  return text.includes(':') ? bytesOfV6(text) : bytesOfV4(text)
}

function bytesOfV4(text: string): number[] | undefined {
  const parts = text.split('.')
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255)) {
    return undefined
  }
  return parts.map(Number)
}

function bytesOfV6(text: string): number[] | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const groups = halves.map(groupsOf)
  const [head, tail] = groups
  if (head === undefined || groups.includes(undefined)) return undefined
  const missing = 8 - head.length - (tail?.length ?? 0)
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined
  const all = [...head, ...Array<number>(tail === undefined ? 0 : missing).fill(0), ...(tail ?? [])]
  return all.flatMap((group) => [group >> 8, group & 0xff])
}

function groupsOf(text: string): number[] | undefined {
  if (text === '') return []
  const parts = text.split(':')
  return parts.every((part) => /^[0-9a-f]{1,4}$/i.test(part))
    ? parts.map((part) => parseInt(part, 16))
    : undefined
}
