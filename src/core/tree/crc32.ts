/** CRC-32 (IEEE 802.3), four bytes a step: the checksum of ZooKeeper's tree digest. */
const tables = makeTables()

/** Continues `crc` over `bytes`; start with 0. */
export function crc32(bytes: Uint8Array, crc = 0): number {
  const [t0, t1, t2, t3] = tables as [Uint32Array, Uint32Array, Uint32Array, Uint32Array]
  let c = ~crc
  let at = 0
  for (const end = bytes.length - 3; at < end; at += 4) {
    c ^=
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)
    c =
      (t3[c & 0xff] as number) ^
      (t2[(c >>> 8) & 0xff] as number) ^
      (t1[(c >>> 16) & 0xff] as number) ^
      (t0[c >>> 24] as number)
  }
  for (; at < bytes.length; at++) {
    c = (t0[(c ^ (bytes[at] as number)) & 0xff] as number) ^ (c >>> 8)
  }
  return ~c >>> 0
}

function makeTables(): Uint32Array[] {
  const first = new Uint32Array(256)
  for (let byte = 0; byte < 256; byte++) {
    let c = byte
    for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1
    first[byte] = c
  }
  const made = [first]
  for (let step = 1; step < 4; step++) {
    const before = made[step - 1] as Uint32Array
    made.push(before.map((c) => (c >>> 8) ^ (first[c & 0xff] as number)))
  }
  return made
}
