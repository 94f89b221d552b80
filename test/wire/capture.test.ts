/** What real clients and a real server said, byte for byte. */
import { describe, expect, test } from 'vitest'
import { MalformedFrame } from '../../src/core/jute/codec.ts'
import { Deframer } from '../../src/core/wire/deframer.ts'
import { captures, type Frame } from './capture.ts'
import { rewritten } from './records.ts'

const everyFrame = captures.flatMap(({ links }) => links.flat())

/** Every operation that a client of issue one may ask for, and what its capture must therefore show. */
const required = [
  'connect',
  'create',
  'create2',
  'delete',
  'exists',
  'getData',
  'setData',
  'getAcl',
  'setAcl',
  'getChildren',
  'getChildren2',
  'sync',
  'ping',
  'multi',
  'setWatches',
  'closeSession',
  'connected',
  'watch event',
  ...['NoNode', 'NodeExists', 'NotEmpty', 'BadVersion', 'NoAuth', 'InvalidAcl'].map(
    (code) => `refused: ${code}`,
  ),
]

test.each(required)('the captures show: %s', (name) => {
  expect(everyFrame.some((frame) => frame.name.endsWith(name))).toBe(true)
})

test('the captures show resumed sessions and a zeroed connect response', () => {
  const hellos = everyFrame
    .filter(({ name }) => name === 'connect')
    .map(({ bytes }) => bytes.slice(16, 24))
  expect(hellos.some((id) => id.some((byte) => byte !== 0))).toBe(true)
  const answers = everyFrame.filter(({ name }) => name === 'connected')
  expect(answers.some(({ bytes }) => bytes.slice(4, 16).every((byte) => byte === 0))).toBe(true)
})

describe.each(captures)('$name', ({ links }) => {
  test('every frame, read by our records, is written back the same', () => {
    for (const frame of links.flat()) {
      expect(hexOf(rewritten(frame)), frame.name).toBe(hexOf(framed(frame)))
    }
  })

  test.each(['client', 'server'] as const)('the %s’s stream, however it is cut', (from) => {
    for (const link of links) {
      const frames = link.filter((frame) => frame.from === from)
      const stream = Buffer.concat(frames.map(framed))
      for (const size of [1, 2, 3, 5, 7, 64, 1000, stream.length]) {
        const deframer = new Deframer(1_048_575)
        const found: string[] = []
        for (let at = 0; at < stream.length; at += size) {
          const chunk = new Uint8Array(stream.subarray(at, at + size))
          found.push(...deframer.push(chunk).map(hexOf))
        }
        expect(found).toEqual(frames.map(({ bytes }) => hexOf(bytes)))
        expect(deframer.held).toBe(0)
      }
    }
  })

  test('cut short at any byte: read as far as it goes, or malformed', () => {
    for (const frame of links.flat()) {
      for (let length = 0; length < frame.bytes.length; length++) {
        readOrMalformed(frame, frame.bytes.subarray(0, length))
        const deframer = new Deframer(1_048_575)
        expect(deframer.push(framed(frame).subarray(0, 4 + length))).toEqual([])
      }
    }
  })

  test.each([-5, -1, 0, 0x7fff_ffff])(
    'any four bytes replaced by %i: read, or malformed',
    (wrong) => {
      for (const frame of links.flat()) {
        for (let at = 0; at + 4 <= frame.bytes.length; at++) {
          const bytes = frame.bytes.slice()
          new DataView(bytes.buffer).setInt32(at, wrong)
          readOrMalformed(frame, bytes)
        }
      }
    },
  )
})

function readOrMalformed(frame: Frame, bytes: Uint8Array): void {
  try {
    rewritten(frame, bytes)
  } catch (error) {
    if (!(error instanceof MalformedFrame)) throw error
  }
}

function framed({ bytes }: Frame): Uint8Array {
  const whole = new Uint8Array(4 + bytes.length)
  new DataView(whole.buffer).setInt32(0, bytes.length)
  whole.set(bytes, 4)
  return whole
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
