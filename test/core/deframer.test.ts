import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MalformedFrame } from '../../src/core/jute/codec.ts'
import { Deframer, wholeFrames } from '../../src/core/wire/deframer.ts'

const frameBytesMax = 1000

test('frames come out as they went in, however the bytes are cut', () => {
  const frames = fc.array(fc.uint8Array({ minLength: 1, maxLength: 60 }), { maxLength: 20 })
  const cuts = fc.array(fc.integer({ min: 0, max: 90 }), { minLength: 1, maxLength: 40 })
  fc.assert(
    fc.property(frames, cuts, (sent, sizes) => {
      const stream = streamOf(sent)
      const deframer = new Deframer(frameBytesMax)
      const found: number[][] = []
      let at = 0
      for (let nth = 0; at < stream.length; nth++) {
        const size = Math.max(nth % sizes.length === 0 ? 1 : 0, sizes[nth % sizes.length] as number)
        // A copy, wiped after use: the deframer may not keep what belongs to its caller.
        const chunk = stream.slice(at, at + size)
        found.push(...deframer.push(chunk).map((frame) => [...frame]))
        chunk.fill(0xee)
        at += size
      }
      expect(found).toEqual(sent.map((frame) => [...frame]))
      expect(deframer.held).toBe(0)
    }),
  )
})

describe.each([-2147483648, -5, -1, 0, frameBytesMax + 1, 0x7fffffff])('length %i', (length) => {
  const header = new Uint8Array(4)
  new DataView(header.buffer).setInt32(0, length)

  test('is refused as soon as its fourth byte is there', () => {
    const deframer = new Deframer(frameBytesMax)
    for (const byte of header.subarray(0, 3)) expect(deframer.push(Uint8Array.of(byte))).toEqual([])
    expect(() => deframer.push(header.subarray(3))).toThrow(MalformedFrame)
  })

  test('is refused behind good frames', () => {
    const stream = Buffer.concat([streamOf([Uint8Array.of(1)]), header])
    expect(() => new Deframer(frameBytesMax).push(stream)).toThrow(MalformedFrame)
    expect(() => wholeFrames(stream, frameBytesMax)).toThrow(MalformedFrame)
  })
})

test('the longest frame allowed passes', () => {
  const longest = new Uint8Array(frameBytesMax).fill(3)
  expect(wholeFrames(streamOf([longest]), frameBytesMax)).toEqual([longest])
})

test('a message must hold whole frames', () => {
  const stream = streamOf([Uint8Array.of(1, 2), Uint8Array.of(3)])
  expect(wholeFrames(stream, frameBytesMax)).toHaveLength(2)
  expect(wholeFrames(new Uint8Array(0), frameBytesMax)).toEqual([])
  for (const length of [1, 3, 4, 5, 7, 8, 9, 10]) {
    expect(() => wholeFrames(stream.subarray(0, length), frameBytesMax)).toThrow(MalformedFrame)
  }
})

function streamOf(frames: readonly Uint8Array[]): Uint8Array {
  const parts = frames.flatMap((frame) => {
    const header = new Uint8Array(4)
    new DataView(header.buffer).setInt32(0, frame.length)
    return [header, frame]
  })
  return new Uint8Array(Buffer.concat(parts))
}
