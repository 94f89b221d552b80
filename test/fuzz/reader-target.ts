/** Decoders without a state: an input is two bytes that tell which, then what it reads. */
import { MalformedFrame } from '../../src/core/jute/codec.ts'
import type { Random } from '../../src/core/shared/random.ts'
import { mutate } from './mutation.ts'
import { type ByteReader, byteReaders } from './readers.ts'
import type { Target } from './target.ts'

/** Samples of each reader, made once: making one costs more than reading it. */
const pools = new Map<ByteReader, Uint8Array[]>()
const poolSize = 64

function poolOf(reader: ByteReader, random: Random): Uint8Array[] {
  const known = pools.get(reader)
  if (known !== undefined) return known
  const pool = Array.from({ length: poolSize }, () => reader.sample(random))
  pools.set(reader, pool)
  return pool
}

const readerOf = (input: Uint8Array): ByteReader =>
  byteReaders[
    (((input[0] as number) << 8) | (input[1] as number)) % byteReaders.length
  ] as ByteReader

export const readerTarget: Target = {
  name: 'readers',
  inputsPerLife: 1000,
  share: 50,

  draw(random) {
    const at = random.next() % byteReaders.length
    const pool = poolOf(byteReaders[at] as ByteReader, random)
    const [one, other] = [pool[random.next() % poolSize], pool[random.next() % poolSize]]
    const damaged = mutate(one as Uint8Array, other as Uint8Array, random)
    const input = new Uint8Array(2 + damaged.length)
    input[0] = at >> 8
    input[1] = at & 0xff
    input.set(damaged, 2)
    return input
  },

  begin: () => ({
    take(input) {
      if (input.length < 2) return
      try {
        readerOf(input).read(input.subarray(2))
      } catch (fault) {
        if (!(fault instanceof MalformedFrame)) throw fault
      }
    },
  }),

  kindOf: (input) => readerOf(input).name,
}
