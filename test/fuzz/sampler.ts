/**
 * Valid bytes of any record: its own reader is given values of our choice instead of bytes, and its writer writes down
 * what it made of them. So a record that is added tomorrow has samples too.
 */
import { type Codec, encode, MalformedFrame, Reader } from '../../src/core/jute/codec.ts'
import type { Random } from '../../src/core/shared/random.ts'

/** Bytes of a value of this shape. */
export function sampleOf<T>(codec: Codec<T>, random: Random): Uint8Array {
  for (let tries = 0; tries < 1000; tries++) {
    try {
      return encode(codec, codec.read(new Dreamer(random)))
    } catch (fault) {
      // The dream was out of bounds: another one.
      if (!(fault instanceof MalformedFrame)) throw fault
    }
  }
  throw new Error('a record that no values fit')
}

const texts = [
  '',
  '/',
  '/a',
  '/a/b',
  '/zookeeper/config',
  'digest',
  'world',
  'anyone',
  'u:p',
  '/ü€😀',
]
const ints = [0, 0, 1, 1, 2, 3, 4, 5, 7, 14, -1, 100, 101, 31, 200]
const nothing = new Uint8Array(0)

/** Reads what it wishes. */
class Dreamer extends Reader {
  readonly #random: Random

  constructor(random: Random) {
    super(nothing)
    this.#random = random
  }

  override get left(): number {
    return 8
  }

  override bool(): boolean {
    return this.#random.next() % 3 === 0
  }

  override byte(): number {
    return this.#random.next() % 4
  }

  override int(): number {
    return ints[this.#random.next() % ints.length] as number
  }

  override long(): number {
    return (this.#random.next() % 5) * 0x1_0000_0000 + (this.#random.next() % 100)
  }

  override id(): bigint {
    return 0x0100_0000_0000_0000n + BigInt(this.#random.next() % 100)
  }

  override buffer(): Uint8Array | null {
    const length = this.#random.next() % 40
    return length === 0 ? null : new Uint8Array(length - 1).fill(length)
  }

  override ustring(): string | null {
    return texts[this.#random.next() % texts.length] as string
  }
}
