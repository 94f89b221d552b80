import { expect, test } from 'vitest'
import type { WatchEvent } from '../../../src/client/index.ts'
import { eventually, Fixture, refusal, type Target, testSince39 } from './fixture.ts'
import { recorder } from './watches.ts'

export function stayingWatches(target: Target): void {
  const it = new Fixture(target)
  telling(it)
  surviving(it)
  removing(it)
}

const shown = (events: readonly WatchEvent[], root: string) =>
  events.map(({ type, path }) => `${type} ${path.slice(root.length) || '.'}`)

function telling(it: Fixture): void {
  test('a persistent watch tells of all about its node, again and again', async () => {
    const path = `${it.root}/a`
    const { watch, settled } = recorder(it)
    await it.client.addWatch(path, 'persistent', watch)
    await it.client.create(path)
    await it.client.set(path, '1')
    await it.client.set(path, '2')
    await it.client.create(`${path}/child`)
    await it.client.set(`${path}/child`, 'not its own')
    await it.client.delete(`${path}/child`)
    await it.client.delete(path)
    await it.client.create(path)
    expect(shown(await settled(), path)).toEqual([
      'created .',
      'dataChanged .',
      'dataChanged .',
      'childrenChanged .',
      'childrenChanged .',
      'deleted .',
      'created .',
    ])
  })

  test('a recursive one tells of its node and all below, never of lists of children', async () => {
    const { watch, settled } = recorder(it)
    await it.client.addWatch(it.root, 'persistentRecursive', watch)
    await it.client.create(`${it.root}/a`)
    await it.client.create(`${it.root}/a/b`)
    await it.client.set(`${it.root}/a/b`, 'x')
    await it.client.set(it.root, 'x')
    await it.client.delete(`${it.root}/a/b`)
    expect(shown(await settled(), it.root)).toEqual([
      'created /a',
      'created /a/b',
      'dataChanged /a/b',
      'dataChanged .',
      'deleted /a/b',
    ])
  })

  test('several listeners are told, one that is armed twice once', async () => {
    const one = recorder(it)
    const other = recorder(it)
    await it.client.addWatch(it.root, 'persistentRecursive', one.watch)
    await it.client.addWatch(it.root, 'persistentRecursive', one.watch)
    await it.client.addWatch(it.root, 'persistentRecursive', other.watch)
    await it.client.set(it.root, 'x')
    expect([await one.settled(), await other.settled()].map(({ length }) => length)).toEqual([1, 1])
  })

  test('another client’s changes are told before they can be read', async () => {
    const writer = it.open()
    const { watch, events } = recorder(it)
    await it.client.addWatch(it.root, 'persistentRecursive', watch)
    for (let round = 1; round <= 20; round++) {
      await writer.create(`${it.root}/${round}`)
      await eventually(async () => {
        expect(await it.client.getChildren(it.root)).toHaveLength(round)
      }, 2000)
      expect(events).toHaveLength(round)
    }
  })

  testSince39(it, 'watches of every kind live side by side on a path', async () => {
    const staying = recorder(it)
    const subtree = recorder(it)
    const once = recorder(it)
    await it.client.addWatch(it.root, 'persistent', staying.watch)
    await it.client.addWatch(it.root, 'persistentRecursive', subtree.watch)
    await it.client.get(it.root, once)
    await it.client.create(`${it.root}/a`)
    await it.client.set(it.root, '1')
    await it.client.set(it.root, '2')
    expect(shown(await staying.settled(), it.root)).toEqual([
      'childrenChanged .',
      'dataChanged .',
      'dataChanged .',
    ])
    expect(shown(await subtree.settled(), it.root)).toEqual([
      'created /a',
      'dataChanged .',
      'dataChanged .',
    ])
    expect(shown(await once.settled(), it.root)).toEqual(['dataChanged .'])
  })
}

function surviving(it: Fixture): void {
  test('after a lost link they say so, and tell on', async () => {
    const { client, cut } = it.openCuttable()
    const [a, b] = [`${it.root}/a`, `${it.root}/b`] as const
    await client.create(a)
    const one = recorder(it, client)
    const other = recorder(it, client)
    await client.addWatch(a, 'persistent', one.watch)
    await client.addWatch(b, 'persistentRecursive', other.watch)
    for (let times = 1; times <= 2; times++) {
      cut()
      // Behind this reply the watches are armed.
      await client.sync()
      await it.client.set(a, `${times}`)
      await it.client.create(`${b}${times}`)
      if (times === 1) await it.client.create(b)
      await it.client.create(`${b}/${times}`)
      await other.settled()
    }
    expect(shown(await one.settled(), it.root)).toEqual([
      'resumed /a',
      'dataChanged /a',
      'resumed /a',
      'dataChanged /a',
    ])
    expect(shown(await other.settled(), it.root)).toEqual([
      'resumed /b',
      'created /b',
      'created /b/1',
      'resumed /b',
      'created /b/2',
    ])
  })

  test('the end of the session is told', async () => {
    const client = it.open()
    const { watch, events } = recorder(it, client)
    await client.addWatch(it.root, 'persistentRecursive', watch)
    await client.close()
    expect(events).toEqual([{ type: 'sessionEnded', path: it.root }])
  })
}

function removing(it: Fixture): void {
  test('checkWatches tells what the server holds', async () => {
    const path = await it.client.create(`${it.root}/a`)
    expect(await it.client.checkWatches(path)).toBe(false)
    await it.client.get(path, recorder(it))
    expect(await it.client.checkWatches(path, 'data')).toBe(true)
    expect(await it.client.checkWatches(path, 'children')).toBe(false)
    await it.client.getChildren(path, recorder(it))
    expect(await it.client.checkWatches(path, 'children')).toBe(true)
    await it.client.set(path, 'x')
    expect(await it.client.checkWatches(path, 'data')).toBe(false)
    expect(await it.client.checkWatches(path, 'any')).toBe(true)
  })

  test.each(['data', 'children', 'any'] as const)('removeWatches of %s', async (type) => {
    const path = await it.client.create(`${it.root}/a`)
    const data = recorder(it)
    const children = recorder(it)
    await it.client.get(path, data)
    await it.client.getChildren(path, children)
    await it.client.removeWatches(path, type)
    expect(await it.client.checkWatches(path, type)).toBe(false)
    expect(await refusal(it.client.removeWatches(path, type))).toBe('NoWatcher')
    await it.client.set(path, 'x')
    await it.client.create(`${path}/child`)
    expect(shown(await data.settled(), path)).toEqual([
      type === 'children' ? 'dataChanged .' : 'removed .',
    ])
    expect(shown(await children.settled(), path)).toEqual([
      type === 'data' ? 'childrenChanged .' : 'removed .',
    ])
  })

  test('a watch that was removed is not armed on the next link', async () => {
    const { client, cut } = it.openCuttable()
    const { watch, settled } = recorder(it, client)
    await client.addWatch(it.root, 'persistent', watch)
    await client.removeWatches(it.root, 'any')
    cut()
    await client.ready()
    expect(await client.checkWatches(it.root)).toBe(false)
    await it.client.set(it.root, 'x')
    expect(shown(await settled(), it.root)).toEqual(['removed .'])
  })

  test('one listener of several goes, the server’s watch with the last', async () => {
    const path = await it.client.create(`${it.root}/a`)
    const one = recorder(it)
    const other = recorder(it)
    await it.client.get(path, one)
    await it.client.get(path, other)
    await it.client.removeWatches(path, 'data', one.watch)
    expect(await refusal(it.client.removeWatches(path, 'data', one.watch))).toBe('NoWatcher')
    expect(await it.client.checkWatches(path, 'data')).toBe(true)
    await it.client.set(path, 'x')
    expect(shown(await one.settled(), path)).toEqual(['removed .'])
    expect(shown(await other.settled(), path)).toEqual(['dataChanged .'])
    await it.client.get(path, other)
    await it.client.removeWatches(path, 'data', other.watch)
    expect(await it.client.checkWatches(path, 'data')).toBe(false)
  })

  for (const type of ['persistent', 'persistentRecursive'] as const) {
    testSince39(it, `${type} watches are removed alone`, async () => {
      const persistent = recorder(it)
      const recursive = recorder(it)
      const once = recorder(it)
      await it.client.addWatch(it.root, 'persistent', persistent.watch)
      await it.client.addWatch(it.root, 'persistentRecursive', recursive.watch)
      await it.client.get(it.root, once)
      expect(await it.client.checkWatches(it.root, type)).toBe(true)
      await it.client.removeWatches(it.root, type)
      expect(await it.client.checkWatches(it.root, type)).toBe(false)
      expect(await it.client.checkWatches(it.root, 'data')).toBe(true)
      await it.client.set(it.root, 'x')
      const told = [persistent, recursive].map(async ({ settled }) =>
        shown(await settled(), it.root),
      )
      const [removed, stays] = [['removed .'], ['dataChanged .']]
      expect(await Promise.all(told)).toEqual(
        type === 'persistent' ? [removed, stays] : [stays, removed],
      )
      expect(shown(await once.settled(), it.root)).toEqual(['dataChanged .'])
    })
  }
}
