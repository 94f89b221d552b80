/** Damage as lines, clients and peers of another mind do it: bits, bytes, lengths, cuts, joins and repeats. */
import type { Random } from '../../src/core/shared/random.ts'

/** What a length, a count, a version or a type says when it says something that nobody meant. */
const oddInts = [
  -0x8000_0000, -0x7fff_ffff, -100, -11, -10, -8, -4, -2, -1, 0, 1, 2, 3, 4, 5, 7, 8, 14, 16, 22,
  31, 64, 100, 101, 105, 127, 128, 255, 256, 1023, 1024, 65_535, 65_536, 0xf_ffff, 0x10_0000,
  0x100_0000, 0x3fff_ffff, 0x4000_0000, 0x7fff_fff0, 0x7fff_fffe, 0x7fff_ffff,
]

/** Longer than this nothing grows: what matters happens in far fewer bytes. */
const grownBytesMax = 4096

type Damage = (bytes: Uint8Array, other: Uint8Array, random: Random) => Uint8Array

/** A damaged copy of `bytes`; `other` is what it may be spliced with. */
export function mutate(bytes: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  let damaged: Uint8Array = bytes.slice()
  for (let times = 1 + (random.next() % 3); times > 0; times--) {
    const damage = damages[random.next() % damages.length] as Damage
    damaged = damage(damaged, other, random)
  }
  return damaged
}

const place = (bytes: Uint8Array, random: Random): number => random.next() % (bytes.length + 1)

/** Numbers of ZooKeeper stand anywhere; half the time they are looked for where they would be in a record of numbers. */
function wordPlace(bytes: Uint8Array, size: number, random: Random): number | undefined {
  if (bytes.length < size) return undefined
  const at = random.next() % (bytes.length - size + 1)
  return (random.next() & 1) === 0 ? at : at - (at % 4)
}

function writeInt(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24
  bytes[at + 1] = value >>> 16
  bytes[at + 2] = value >>> 8
  bytes[at + 3] = value
}

const damages: readonly Damage[] = [
  function flipBit(bytes, _, random) {
    if (bytes.length === 0) return bytes
    const at = random.next() % bytes.length
    bytes[at] = (bytes[at] as number) ^ (1 << (random.next() % 8))
    return bytes
  },
  function replaceByte(bytes, _, random) {
    if (bytes.length > 0) bytes[random.next() % bytes.length] = random.next()
    return bytes
  },
  function replaceInt(bytes, _, random) {
    const at = wordPlace(bytes, 4, random)
    if (at !== undefined) writeInt(bytes, at, oddInts[random.next() % oddInts.length] as number)
    return bytes
  },
  /** A length that is nearly right: to the end, one more, one less. */
  function replaceLength(bytes, _, random) {
    const at = wordPlace(bytes, 4, random)
    if (at !== undefined) writeInt(bytes, at, bytes.length - at - 4 + random.between(-2, 2))
    return bytes
  },
  function addToInt(bytes, _, random) {
    const at = wordPlace(bytes, 4, random)
    if (at === undefined) return bytes
    const view = new DataView(bytes.buffer, bytes.byteOffset)
    view.setInt32(at, view.getInt32(at) + random.between(-2, 2))
    return bytes
  },
  function replaceLong(bytes, _, random) {
    const at = wordPlace(bytes, 8, random)
    if (at === undefined) return bytes
    writeInt(bytes, at, oddInts[random.next() % oddInts.length] as number)
    writeInt(bytes, at + 4, oddInts[random.next() % oddInts.length] as number)
    return bytes
  },
  function insert(bytes, _, random) {
    if (bytes.length > grownBytesMax) return bytes
    const at = place(bytes, random)
    const added = new Uint8Array(1 + (random.next() % 8))
    for (let i = 0; i < added.length; i++) added[i] = random.next()
    return joined(bytes.subarray(0, at), added, bytes.subarray(at))
  },
  function remove(bytes, _, random) {
    const at = place(bytes, random)
    return joined(bytes.subarray(0, at), bytes.subarray(at + 1 + (random.next() % 8)))
  },
  function truncate(bytes, _, random) {
    return bytes.slice(0, place(bytes, random))
  },
  function splice(bytes, other, random) {
    if (bytes.length > grownBytesMax) return bytes
    return joined(bytes.subarray(0, place(bytes, random)), other.subarray(place(other, random)))
  },
  function repeat(bytes, _, random) {
    const from = place(bytes, random)
    const piece = bytes.subarray(from, from + 1 + (random.next() % 64))
    const times = 1 + (random.next() % 8)
    if (bytes.length + piece.length * times > grownBytesMax) return bytes
    const pieces = Array.from({ length: times }, () => piece)
    return joined(bytes.subarray(0, from), ...pieces, bytes.subarray(from))
  },
]

export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
