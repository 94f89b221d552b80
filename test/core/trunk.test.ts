import { expect, test } from 'vitest'
import { MalformedFrame, Writer } from '../../src/core/jute/codec.ts'
import { limits } from '../../src/core/shared/limits.ts'
import { Deframer } from '../../src/core/wire/deframer.ts'
import { openingOf } from '../../src/core/wire/opening.ts'
import {
  type Preface,
  prefaceOf,
  prefixOf,
  readTrunk,
  writePreface,
  writeTrunk,
} from '../../src/core/wire/trunk.ts'

const preface: Preface = {
  secret: 'of ours',
  member: 2,
  isTrunk: true,
  address: '[::1]:50412',
  session: -5n,
}

test('[F1] a preface is read when all of it is here, and what follows is left', () => {
  const bytes = writePreface(preface)
  const longer = Uint8Array.of(...bytes, 1, 2, 3)
  for (let cut = 0; cut < bytes.length; cut++)
    expect(prefaceOf(bytes.subarray(0, cut))).toBe('more')
  expect(prefaceOf(longer)).toEqual({ preface, rest: Uint8Array.of(1, 2, 3) })
})

test('[F1] no client begins with a preface, and no preface with a client’s bytes', () => {
  expect(openingOf(writePreface(preface))).toBeUndefined()
  expect(prefaceOf(Uint8Array.of(0, 0, 0, 45))).toBeUndefined()
  expect(prefaceOf(new TextEncoder().encode('ruok'))).toBeUndefined()
})

test('[F1] a preface of a length that none has is malformed', () => {
  for (const length of [-1, 0, limits.prefaceBytesMax + 1]) {
    const bytes = writePreface(preface)
    new DataView(bytes.buffer).setInt32(4, length)
    expect(() => prefaceOf(bytes)).toThrow(MalformedFrame)
  }
})

test('[F1] messages come out as they went in, however they were cut', () => {
  const writer = new Writer()
  writeTrunk(writer, 1, 7)
  writeTrunk(writer, 2, -8, Uint8Array.of(1, 2), Uint8Array.of(3))
  const deframer = new Deframer(100)
  const read = [...writer.take()].flatMap((byte) =>
    deframer.push(Uint8Array.of(byte)).map((message) => readTrunk(message.slice())),
  )
  expect(read).toEqual([
    { kind: 1, client: 7, body: new Uint8Array(0) },
    { kind: 2, client: -8, body: Uint8Array.of(1, 2, 3) },
  ])
  expect(() => readTrunk(Uint8Array.of(1, 0, 0))).toThrow(MalformedFrame)
})

test('[F2] the begin of a session’s id is its actor’s, for members above 127 too', () => {
  const of = (member: bigint, actor: bigint, serial: bigint): number =>
    prefixOf(BigInt.asIntN(64, (member << 56n) | (actor << 40n) | serial))
  expect(of(254n, 0xffffn, 1n)).toBe(of(254n, 0xffffn, 2n))
  expect(of(254n, 0xffffn, 1n)).not.toBe(of(254n, 0xfffen, 1n))
  expect(of(1n, 2n, 0n)).not.toBe(of(2n, 2n, 0n))
})
