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
const stayingKinds: readonly WatchKind[] = ['persistent', 'recursive']
const same = (path: string) => path

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

describe('watches that stay', () => {
  function armedStaying() {
    const watches = new Watches()
    const told: string[] = []
    const listenerOf = (name: string) => (event: WatchEvent) =>
      void told.push(`${name}: ${event.type} ${event.path}`)
    watches.arm('persistent', '/a', listenerOf('persistent'))
    watches.arm('recursive', '/a', listenerOf('recursive'))
    watches.arm('recursive', '/', listenerOf('root'))
    return { watches, told, listenerOf }
  }

  test.each([
    ['created', '/a', ['persistent', 'recursive', 'root']],
    ['dataChanged', '/a/b', ['recursive', 'root']],
    ['deleted', '/a/b/c', ['recursive', 'root']],
    ['dataChanged', '/ab', ['root']],
    ['dataChanged', '/', ['root']],
    ['childrenChanged', '/a', ['persistent']],
    ['childrenChanged', '/a/b', []],
  ] as const)('%s of %s, every time', async (type, path, names) => {
    const { watches, told } = armedStaying()
    watches.receive(eventTypes[type], path)
    watches.receive(eventTypes[type], path)
    await settle()
    const once = names.map((name) => `${name}: ${type} ${path}`)
    expect(told).toEqual([...once, ...once])
  })

  test('hear that the link is a new one, and that the session is over', async () => {
    const { watches, told } = armedStaying()
    watches.arm('data', '/a', () => told.push('data'))
    watches.resume()
    await settle()
    expect(told).toEqual(['persistent: resumed /a', 'recursive: resumed /a', 'root: resumed /'])
    told.length = 0
    watches.end()
    watches.receive(eventTypes.created, '/a')
    await settle()
    expect(told).toHaveLength(4)
  })

  test.each([
    ['children', ['child']],
    ['data', ['data', 'exist']],
    ['persistent', ['persistent']],
    ['persistentRecursive', ['recursive']],
    ['any', ['data', 'exist', 'child', 'persistent', 'recursive']],
  ] as const)('removal of %s tells and takes %j', async (type, expected) => {
    const watches = new Watches()
    const told: string[] = []
    const all = [...kinds, ...stayingKinds]
    for (const kind of all) watches.arm(kind, '/a', (event) => told.push(`${event.type} ${kind}`))
    watches.arm('data', '/b', () => told.push('a neighbour'))
    watches.remove(type, '/a')
    await settle()
    expect(told).toEqual(expected.map((kind) => `removed ${kind}`))
    const [batch] = watches.setWatches(0, same)
    const left = Object.values(batch ?? {}).flatMap((paths) => (Array.isArray(paths) ? paths : []))
    expect(left).toHaveLength(all.length + 1 - expected.length)
  })

  test('removal of one listener leaves the other', async () => {
    const { watches, told, listenerOf } = armedStaying()
    const mine = listenerOf('mine')
    watches.arm('recursive', '/a', mine)
    watches.remove('persistentRecursive', '/a', mine)
    watches.receive(eventTypes.created, '/a/b')
    await settle()
    expect(told).toEqual(['mine: removed /a', 'recursive: created /a/b', 'root: created /a/b'])
  })
})

test('nothing armed, nothing to arm again', () => {
  expect(new Watches().setWatches(1, same)).toEqual([])
})

test('batches hold every path once and none more path bytes than allowed', () => {
  const path = fc.tuple(fc.string({ unit: 'grapheme' }), fc.constantFrom(0, 300, 30_000))
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom(...kinds, ...stayingKinds), path)), (asked) => {
      const watches = new Watches()
      const expected = new Set<string>()
      for (const [kind, [start, length]] of asked) {
        const path = `/${start}${'ü'.repeat(length)}`
        watches.arm(kind, path, () => {})
        expected.add(`${kind}${path}`)
      }
      const batches = watches.setWatches(7, same)
      const found = batches.flatMap((batch) => [
        ...batch.dataWatches.map((one) => `data${one}`),
        ...batch.existWatches.map((one) => `exist${one}`),
        ...batch.childWatches.map((one) => `child${one}`),
        ...batch.persistentWatches.map((one) => `persistent${one}`),
        ...batch.persistentRecursiveWatches.map((one) => `recursive${one}`),
      ])
      expect(found).toHaveLength(expected.size)
      expect(new Set(found)).toEqual(expected)
      for (const { relativeZxid, ...lists } of batches) {
        expect(relativeZxid).toBe(7)
        const paths = Object.values(lists).flat()
        const bytes = paths.reduce((sum, one) => sum + Buffer.byteLength(one), 0)
        expect(bytes).toBeGreaterThan(0)
        expect(bytes).toBeLessThanOrEqual(setWatchesBytesMax)
      }
    }),
  )
})
