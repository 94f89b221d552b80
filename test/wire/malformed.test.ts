/** Bytes nobody sent on purpose: a reader returns or says MalformedFrame, and nothing else. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decode, MalformedFrame, Reader } from '../../src/core/jute/codec.ts'
import { ConnectRequest, ConnectResponse, WatcherEvent } from '../../src/core/jute/records.ts'
import { type Operation, opcodes } from '../../src/core/wire/opcodes.ts'
import { readReply } from '../../src/core/wire/packets.ts'
import { readBody } from './records.ts'

const operations = Object.keys(opcodes) as Operation[]

/** Bytes at random, and bytes that look like something: small ints, so that lengths and counts are often believed. */
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc
    .array(fc.oneof(fc.integer({ min: -5, max: 20 }), fc.integer()), { maxLength: 40 })
    .map((ints) => {
      const view = new DataView(new ArrayBuffer(ints.length * 4))
      for (const [at, int] of ints.entries()) view.setInt32(at * 4, int)
      return new Uint8Array(view.buffer)
    }),
)

function never(read: (reader: Uint8Array) => unknown): void {
  fc.assert(
    fc.property(bytes, (random) => {
      try {
        read(random)
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedFrame)
      }
    }),
    { numRuns: 500 },
  )
}

describe.each(operations)('%s', (operation) => {
  test.each(['request', 'reply'] as const)('its %s', (side) => {
    never((random) => readBody(operation, side, new Reader(random)))
  })
})

test.each([
  ['ConnectRequest', ConnectRequest],
  ['ConnectResponse', ConnectResponse],
  ['WatcherEvent', WatcherEvent],
])('%s', (_name, codec) => {
  never((random) => decode<unknown>(codec, random))
})

test('the header of a reply', () => {
  never((random) => readReply(random))
})

test('a count that no bytes stand behind costs nothing', () => {
  const liar = new Uint8Array(20)
  new DataView(liar.buffer).setInt32(8, 0x7fff_ffff)
  expect(() => readBody('setWatches', 'request', new Reader(liar))).toThrow(MalformedFrame)
})
