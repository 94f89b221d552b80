/** Bytes with their CRC-32 in front: any damage of up to 32 bits in a row is found, any other with 1 − 2⁻³². */
import { crc32 } from './crc32.ts'
import { sound } from './damage.ts'

const sumBytes = 4

/** A buffer of its own, also where `bytes` is a view of a larger one. */
export function seal(bytes: Uint8Array): Uint8Array {
  const sealed = new Uint8Array(sumBytes + bytes.length)
  new DataView(sealed.buffer).setUint32(0, crc32(bytes))
  sealed.set(bytes, sumBytes)
  return sealed
}

/** What was sealed, a view of it; undefined if the checksum is wrong. */
export function opened(sealed: Uint8Array): Uint8Array | undefined {
  if (sealed.length < sumBytes) return undefined
  const bytes = sealed.subarray(sumBytes)
  const written = new DataView(sealed.buffer, sealed.byteOffset).getUint32(0)
  return crc32(bytes) === written ? bytes : undefined
}

/** The same of what a store gave back. Throws Damage. */
export function unseal(sealed: Uint8Array, what: string): Uint8Array {
  const bytes = opened(sealed)
  sound(bytes !== undefined, `${what} has the wrong checksum`)
  return bytes
}
