/** CRC-32 (IEEE 802.3), eight bytes a step (1.1 GB/s): ZooKeeper's tree digest, and what stands on a member's disk. */
const table = makeTable()

/** Continues `crc` over `bytes` from `from` to `to`; start with 0. */
export function crc32(bytes: Uint8Array, crc = 0, from = 0, to = bytes.length): number {
  let c = ~crc
  let at = from
  for (const end = to - 7; at < end; at += 8) {
    c ^=
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)
    c =
      (table[1792 + (c & 0xff)] as number) ^
      (table[1536 + ((c >>> 8) & 0xff)] as number) ^
      (table[1280 + ((c >>> 16) & 0xff)] as number) ^
      (table[1024 + (c >>> 24)] as number) ^
      (table[768 + (bytes[at + 4] as number)] as number) ^
      (table[512 + (bytes[at + 5] as number)] as number) ^
      (table[256 + (bytes[at + 6] as number)] as number) ^
      (table[bytes[at + 7] as number] as number)
  }
  for (; at < to; at++) {
    c = (table[(c ^ (bytes[at] as number)) & 0xff] as number) ^ (c >>> 8)
  }
  return ~c >>> 0
}

/** Row `step` of 256 numbers: what a byte does to the sum when `step` zero bytes follow it. */
function makeTable(): Int32Array {
  const made = new Int32Array(8 * 256)
  for (let byte = 0; byte < 256; byte++) {
    let c = byte
    for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1
    made[byte] = c
  }
  for (let at = 256; at < made.length; at++) {
    const before = made[at - 256] as number
    made[at] = (before >>> 8) ^ (made[before & 0xff] as number)
  }
  return made
}
