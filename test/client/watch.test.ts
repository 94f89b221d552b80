import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { eventTypes } from '../../src/core/wire/opcodes.ts'
import {
  setWatchesBytesMax,
  Watches,
  type WatchEvent,
  type WatchKind,
} from '../../src/client/watch.ts'
import { settle } from './scripted.ts'

const kinds: readonly WatchKind[] = ['data', 'exist', 'child']

function armedAll() {
  const watches = new Watches()
  const told: string[] = []
  for (const kind of kinds) watches.arm(kind, '/a', () => told.push(kind))
  return { watches, told }
}

describe('which watches an event uses up', () => {
  test.each([
    ['created', ['data', 'exist']],
    ['dataChanged', ['data', 'exist']],
    ['deleted', ['data', 'exist', 'child']],
    ['childrenChanged', ['child']],
    ['none', []],
  ] as const)('%s', async (type, expected) => {
    const { watches, told } = armedAll()
    watches.receive(eventTypes[type], '/a')
    watches.receive(eventTypes[type], '/a')
    watches.receive(eventTypes.deleted, '/b')
    await settle()
    expect(told).toEqual(expected)
  })

  test('one of no known type: none', async () => {
    const { watches, told } = armedAll()
    watches.receive(77, '/a')
    await settle()
    expect(told).toEqual([])
  })
})

test('one function is told once of one event, whatever it was armed for', async () => {
  const watches = new Watches()
  const told: WatchEvent[] = []
  const listener = (event: WatchEvent) => told.push(event)
  for (const kind of kinds) watches.arm(kind, '/a', listener)
  watches.receive(eventTypes.deleted, '/a')
  await settle()
  expect(told).toEqual([{ type: 'deleted', path: '/a' }])
})

test('nothing armed, nothing to arm again', () => {
  expect(new Watches().setWatches(1)).toEqual([])
})

test('batches hold every path once and none more path bytes than allowed', () => {
  const path = fc.tuple(fc.string({ unit: 'grapheme' }), fc.constantFrom(0, 300, 30_000))
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom(...kinds), path)), (asked) => {
      const watches = new Watches()
      const expected = new Set<string>()
      for (const [kind, [start, length]] of asked) {
        const path = `/${start}${'ü'.repeat(length)}`
        watches.arm(kind, path, () => {})
        expected.add(`${kind}${path}`)
      }
      const batches = watches.setWatches(7)
      const found = batches.flatMap(({ dataWatches, existWatches, childWatches }) => [
        ...dataWatches.map((one) => `data${one}`),
        ...existWatches.map((one) => `exist${one}`),
        ...childWatches.map((one) => `child${one}`),
      ])
      expect(found).toHaveLength(expected.size)
      expect(new Set(found)).toEqual(expected)
      for (const { dataWatches, existWatches, childWatches } of batches) {
        const paths = [...dataWatches, ...existWatches, ...childWatches]
        const bytes = paths.reduce((sum, one) => sum + Buffer.byteLength(one), 0)
        expect(bytes).toBeGreaterThan(0)
        expect(bytes).toBeLessThanOrEqual(setWatchesBytesMax)
      }
    }),
  )
})
