import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as jute from '../../src/core/jute/codec.ts'
import * as records from '../../src/core/jute/records.ts'

const int = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
const long = fc.maxSafeInteger()
const id = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
const bytes = fc.uint8Array({ maxLength: 300 })
const text = fc.string({ unit: 'binary', maxLength: 200 })
const paths = fc.array(text, { maxLength: 20 })
const acl = fc.array(fc.record({ perms: int, id: fc.record({ scheme: text, id: text }) }))

const cases: readonly [string, jute.Codec<unknown>, fc.Arbitrary<unknown>][] = [
  ['bool', jute.bool, fc.boolean()],
  ['int', jute.int, int],
  ['long', jute.long, long],
  ['id', jute.id, id],
  ['buffer', jute.buffer, fc.option(bytes)],
  ['ustring', jute.ustring, text],
  ['ustringOrNull', jute.ustringOrNull, fc.option(text)],
  ['vector', jute.vector(jute.long), fc.array(long)],
  ['vector of vectors', jute.vector(jute.vector(jute.ustring)), fc.array(paths)],
  [
    'Stat',
    records.Stat,
    fc.record({
      czxid: long,
      mzxid: long,
      ctime: long,
      mtime: long,
      version: int,
      cversion: int,
      aversion: int,
      ephemeralOwner: id,
      dataLength: int,
      numChildren: int,
      pzxid: long,
    }),
  ],
  [
    'ConnectRequest',
    records.ConnectRequest,
    fc.record({
      protocolVersion: int,
      lastZxidSeen: long,
      timeOut: int,
      sessionId: id,
      passwd: fc.option(bytes),
      readOnly: fc.option(fc.boolean(), { nil: undefined }),
    }),
  ],
  ['CreateRequest', records.CreateRequest, fc.record({ path: text, data: bytes, acl, flags: int })],
  [
    'SetWatches',
    records.SetWatches,
    fc.record({ relativeZxid: long, dataWatches: paths, existWatches: paths, childWatches: paths }),
  ],
]

describe('what is written is read again', () => {
  test.each(cases)('%s', (_name, codec, values) => {
    fc.assert(
      fc.property(values, (value) => {
        const encoded = jute.encode(codec, value)
        const reader = new jute.Reader(encoded)
        expect(codec.read(reader)).toEqual(value)
        expect(reader.left).toBe(0)
      }),
    )
  })

  test.each(cases)('%s, and not from fewer bytes', (_name, codec, values) => {
    fc.assert(
      fc.property(values, fc.nat(), (value, cut) => {
        const encoded = jute.encode(codec, value)
        const short = encoded.subarray(0, cut % Math.max(1, encoded.length))
        let again: unknown
        try {
          again = jute.decode(codec, short)
        } catch (error) {
          expect(error).toBeInstanceOf(jute.MalformedFrame)
          return
        }
        // Only a ConnectRequest may end early: without its optional last field.
        expect(again).toEqual({ ...(value as object), readOnly: undefined })
      }),
    )
  })
})

describe('bytes as ZooKeeper writes them', () => {
  test.each([
    ['int', jute.int, -2, 'fffffffe'],
    ['long', jute.long, -1, 'ffffffffffffffff'],
    ['a zxid', jute.long, 0x1_0000_0002, '0000000100000002'],
    ['the largest long', jute.long, Number.MAX_SAFE_INTEGER, '001fffffffffffff'],
    ['id', jute.id, -2n, 'fffffffffffffffe'],
    ['bool', jute.bool, true, '01'],
    ['a null buffer', jute.buffer, null, 'ffffffff'],
    ['an empty buffer', jute.buffer, new Uint8Array(0), '00000000'],
    ['ustring', jute.ustring, 'ü€😀', '00000009c3bce282acf09f9880'],
    ['a byte order mark', jute.ustring, '\ufeffx', '00000004efbbbf78'],
    ['vector', jute.vector(jute.int), [1, 2], '000000020000000100000002'],
  ] as [string, jute.Codec<unknown>, unknown, string][])('%s', (_name, codec, value, hex) => {
    expect(Buffer.from(jute.encode(codec, value)).toString('hex')).toBe(hex)
    expect(jute.decode(codec, new Uint8Array(Buffer.from(hex, 'hex')))).toEqual(value)
  })

  test('a null vector reads as an empty one', () => {
    expect(jute.decode(jute.vector(jute.int), Buffer.from('ffffffff', 'hex'))).toEqual([])
  })

  test('an id that is null reads as an empty one where the scheme minds none, as kazoo writes CREATOR_ALL_ACL', () => {
    const idOf = (scheme: string | null, text: string | null): Uint8Array =>
      jute.encode(jute.record({ scheme: jute.ustringOrNull, id: jute.ustringOrNull }), {
        scheme,
        id: text,
      })
    expect(jute.decode(records.Id, idOf('auth', null))).toEqual({ scheme: 'auth', id: '' })
    expect(jute.decode(records.Id, idOf(null, 'x'))).toEqual({ scheme: '', id: 'x' })
    for (const scheme of ['world', 'digest', 'ip']) {
      expect(() => jute.decode(records.Id, idOf(scheme, null))).toThrow(jute.MalformedFrame)
    }
  })

  test('what is no UTF-8 reads as U+FFFD, short or long', () => {
    for (const length of [1, 100]) {
      const broken = jute.encode(jute.buffer, new Uint8Array(length).fill(0xff))
      expect(jute.decode(jute.ustring, broken)).toBe('\ufffd'.repeat(length))
    }
  })

  test('half a surrogate pair is written as U+FFFD', () => {
    expect(jute.decode(jute.ustring, jute.encode(jute.ustring, 'a\ud800'))).toBe('a\ufffd')
  })
})

test('a writer grows, keeps what it wrote, and gives copies', () => {
  const writer = new jute.Writer(1)
  writer.int(1)
  const first = writer.take()
  writer.raw(new Uint8Array(5000).fill(7))
  writer.patchInt(0, 2)
  expect([...first]).toEqual([0, 0, 0, 1])
  expect(writer.take()).toHaveLength(5004)
  writer.reset()
  expect(writer.take()).toHaveLength(0)
})
