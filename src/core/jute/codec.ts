/**
 * Jute, ZooKeeper's encoding: big-endian numbers, length-prefixed strings and buffers (length −1 is null), counted
 * vectors, records inline. One value of this file describes a shape once and gives its reader, its writer and its type.
 */
declare class TextEncoder {
  encode(text: string): Uint8Array
  encodeInto(text: string, into: Uint8Array): { read: number; written: number }
}
declare class TextDecoder {
  constructor(label: 'utf-8', options: { ignoreBOM: boolean })
  decode(bytes: Uint8Array): string
}

/** The peer sent bytes that are no such record. Caught once, where the frame came in. */
export class MalformedFrame extends Error {
  override name = 'MalformedFrame'
}

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** Text as UTF-8. */
export const bytesOf = (text: string): Uint8Array => encoder.encode(text)
/** Bytes as UTF-8; what is none becomes U+FFFD. */
export const textOf = (bytes: Uint8Array): string => decoder.decode(bytes)

/** Reads values in order from `bytes`, never past its end. Throws MalformedFrame. */
export class Reader {
  readonly bytes: Uint8Array
  readonly #view: DataView
  at = 0

  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.at = at
  }

  get left(): number {
    return this.bytes.length - this.at
  }

  bool(): boolean {
    return this.bytes[this.#advance(1)] !== 0
  }

  byte(): number {
    return this.bytes[this.#advance(1)] as number
  }

  int(): number {
    return this.#view.getInt32(this.#advance(4))
  }

  /** A 64-bit integer as a number: exact up to 2^53, nearest beyond. */
  long(): number {
    const at = this.#advance(8)
    return this.#view.getInt32(at) * 0x1_0000_0000 + this.#view.getUint32(at + 4)
  }

  /** A 64-bit integer with every bit. */
  id(): bigint {
    return this.#view.getBigInt64(this.#advance(8))
  }

  /** A view of the bytes that follow their length; null for length −1. */
  buffer(): Uint8Array | null {
    const length = this.int()
    if (length === -1) return null
    if (length < 0) throw new MalformedFrame(`buffer of length ${length}`)
    const at = this.#advance(length)
    return this.bytes.subarray(at, at + length)
  }

  /** A view of so many bytes. */
  raw(length: number): Uint8Array {
    const at = this.#advance(length)
    return this.bytes.subarray(at, at + length)
  }

  ustring(): string | null {
    const length = this.int()
    if (length === -1) return null
    if (length < 0) throw new MalformedFrame(`string of length ${length}`)
    const from = this.#advance(length)
    if (length > shortString) return decoder.decode(this.bytes.subarray(from, from + length))
    let text = ''
    for (let at = from; at < from + length; at++) {
      const byte = this.bytes[at] as number
      if (byte > 0x7f) return decoder.decode(this.bytes.subarray(from, from + length))
      text += String.fromCharCode(byte)
    }
    return text
  }

  #advance(count: number): number {
    const at = this.at
    if (count > this.bytes.length - at) {
      throw new MalformedFrame(`${count} bytes wanted at ${at}, the end is at ${this.bytes.length}`)
    }
    this.at = at + count
    return at
  }
}

/** Below this length a loop over ASCII beats the platform's decoder (measured on paths). */
const shortString = 64

const keptBytesMax = 16 * 1024 * 1024

/** Appends values to a buffer that grows. `take` gives away what was written. */
export class Writer {
  #bytes: Uint8Array
  #view: DataView
  at = 0

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity)
    this.#view = new DataView(this.#bytes.buffer)
  }

  bool(value: boolean): void {
    const at = this.#reserve(1)
    this.#bytes[at] = value ? 1 : 0
  }

  byte(value: number): void {
    const at = this.#reserve(1)
    this.#bytes[at] = value
  }

  int(value: number): void {
    const at = this.#reserve(4)
    this.#view.setInt32(at, value)
  }

  long(value: number): void {
    const at = this.#reserve(8)
    this.#view.setInt32(at, Math.floor(value / 0x1_0000_0000))
    this.#view.setInt32(at + 4, value % 0x1_0000_0000)
  }

  id(value: bigint): void {
    const at = this.#reserve(8)
    this.#view.setBigInt64(at, value)
  }

  buffer(value: Uint8Array | null): void {
    if (value === null) return this.int(-1)
    this.int(value.length)
    this.raw(value)
  }

  ustring(value: string | null): void {
    if (value === null) return this.int(-1)
    const length = this.at
    const at = this.#reserve(4 + value.length * 3) + 4
    const bytes = this.#bytes
    let count = 0
    for (; count < value.length; count++) {
      const code = value.charCodeAt(count)
      if (code > 0x7f) break
      bytes[at + count] = code
    }
    if (count < value.length) count = encoder.encodeInto(value, bytes.subarray(at)).written
    this.#view.setInt32(length, count)
    this.at = at + count
  }

  raw(value: Uint8Array): void {
    const at = this.#reserve(value.length)
    this.#bytes.set(value, at)
  }

  /** Writes an int over four bytes that were written before. */
  patchInt(at: number, value: number): void {
    this.#view.setInt32(at, value)
  }

  /** A copy of everything written, in a buffer of its own: safe to send or store. */
  take(): Uint8Array {
    return this.#bytes.slice(0, this.at)
  }

  /** A view of everything written, until more is. */
  get written(): Uint8Array {
    return this.#bytes.subarray(0, this.at)
  }

  /** Forgets what was written and keeps the memory, unless that is more than is ever needed in a row. */
  reset(): void {
    this.at = 0
    if (this.#bytes.length <= keptBytesMax) return
    this.#bytes = new Uint8Array(keptBytesMax / 2)
    this.#view = new DataView(this.#bytes.buffer)
  }

  #reserve(count: number): number {
    const at = this.at
    const end = at + count
    if (end > this.#bytes.length) this.#grow(end)
    this.at = end
    return at
  }

  #grow(atLeast: number): void {
    const larger = new Uint8Array(Math.max(atLeast, this.#bytes.length * 2))
    larger.set(this.#bytes)
    this.#bytes = larger
    this.#view = new DataView(larger.buffer)
  }
}

/** A shape on the wire. */
export interface Codec<T> {
  read(reader: Reader): T
  write(writer: Writer, value: T): void
}

/** The value a codec describes. */
export type Decoded<C> = C extends Codec<infer T> ? T : never

export const bool: Codec<boolean> = {
  read: (reader) => reader.bool(),
  write: (writer, value) => writer.bool(value),
}
export const byte: Codec<number> = {
  read: (reader) => reader.byte(),
  write: (writer, value) => writer.byte(value),
}
export const int: Codec<number> = {
  read: (reader) => reader.int(),
  write: (writer, value) => writer.int(value),
}
/** Zxids, times and durations: exact up to 2^53. */
export const long: Codec<number> = {
  read: (reader) => reader.long(),
  write: (writer, value) => writer.long(value),
}
/** Session ids and owners: all 64 bits. */
export const id: Codec<bigint> = {
  read: (reader) => reader.id(),
  write: (writer, value) => writer.id(value),
}
export const buffer: Codec<Uint8Array | null> = {
  read: (reader) => reader.buffer(),
  write: (writer, value) => writer.buffer(value),
}
export const ustringOrNull: Codec<string | null> = {
  read: (reader) => reader.ustring(),
  write: (writer, value) => writer.ustring(value),
}
/** A null string reads as the empty one. */
export const ustringOrEmpty: Codec<string> = {
  read: (reader) => reader.ustring() ?? '',
  write: (writer, value) => writer.ustring(value),
}
/** A string that may not be null: ZooKeeper answers a null path with a marshalling error too. */
export const ustring: Codec<string> = {
  read: (reader) => {
    const text = reader.ustring()
    if (text === null) throw new MalformedFrame('a string is null')
    return text
  },
  write: (writer, value) => writer.ustring(value),
}

/** A counted list; a null one (count −1) reads as empty, as any below zero does (BinaryIndex). */
export function vector<T>(item: Codec<T>): Codec<readonly T[]> {
  return {
    read(reader) {
      const count = reader.int()
      if (count > reader.left) throw new MalformedFrame(`vector of ${count} items`)
      const items: T[] = []
      for (let left = count; left > 0; left--) items.push(item.read(reader))
      return items
    },
    write(writer, items) {
      writer.int(items.length)
      for (const one of items) item.write(writer, one)
    },
  }
}

/** The last field of a record that old peers leave out: `absent` then. */
export function optionalTail<T>(codec: Codec<T>): Codec<T | undefined> {
  return {
    read: (reader) => (reader.left > 0 ? codec.read(reader) : undefined),
    write: (writer, value) => {
      if (value !== undefined) codec.write(writer, value)
    },
  }
}

type Fields = Readonly<Record<string, Codec<never> | Codec<unknown>>>
type RecordOf<F> = { readonly [K in keyof F]: Decoded<F[K]> }

/** Fields one after the other, in the order they are written down. */
export function record<const F extends Fields>(fields: F): Codec<RecordOf<F>> {
  const names = Object.keys(fields)
  const codecs = Object.values(fields) as Codec<unknown>[]
  return {
    read(reader) {
      const value: Record<string, unknown> = {}
      for (let i = 0; i < names.length; i++) {
        value[names[i] as string] = (codecs[i] as Codec<unknown>).read(reader)
      }
      return value as RecordOf<F>
    },
    write(writer, value) {
      const source = value as Readonly<Record<string, unknown>>
      for (let i = 0; i < names.length; i++) {
        ;(codecs[i] as Codec<unknown>).write(writer, source[names[i] as string])
      }
    },
  }
}

/** Bytes of one value. */
export function encode<T>(codec: Codec<T>, value: T): Uint8Array {
  const writer = spareWriter
  writer.reset()
  codec.write(writer, value)
  return writer.take()
}

/** No codec encodes anything by itself while it writes. */
const spareWriter = new Writer(4096)

/** One value from bytes; what follows it is ignored, as ZooKeeper does. Throws MalformedFrame. */
export function decode<T>(codec: Codec<T>, bytes: Uint8Array): T {
  return codec.read(new Reader(bytes))
}
