import { expect, test } from 'vitest'
import { follow, type WatchEvent } from '../../../src/client/index.ts'
import { eventually, Fixture, type Target, textOf } from './fixture.ts'

export function watches(target: Target): void {
  const it = new Fixture(target)
  firing(it)
  ordering(it)
  surviving(it)
  following(it)
}

/** Collects events; `settled` gives those of now, after a round trip behind which none can be on its way. */
export function recorder(it: Fixture, client = it.client) {
  const events: WatchEvent[] = []
  const watch = (event: WatchEvent) => void events.push(event)
  const settled = async () => {
    await client.sync(it.root)
    await client.exists(it.root)
    return events
  }
  return { watch, settled, events }
}

function firing(it: Fixture): void {
  test('a watch of get tells of a change, once', async () => {
    const path = await it.client.create(`${it.root}/a`)
    const { watch, settled } = recorder(it)
    await it.client.get(path, { watch })
    await it.client.set(path, '1')
    await it.client.set(path, '2')
    expect(await settled()).toEqual([{ type: 'dataChanged', path }])
  })

  test('a watch of exists tells of creation, change or deletion, whichever is first', async () => {
    const path = `${it.root}/a`
    const { watch, settled } = recorder(it)
    await it.client.exists(path, { watch })
    await it.client.create(path)
    await it.client.exists(path, { watch })
    await it.client.set(path, 'x')
    await it.client.exists(path, { watch })
    await it.client.delete(path)
    const types = (await settled()).map(({ type }) => type)
    expect(types).toEqual(['created', 'dataChanged', 'deleted'])
  })

  test.each(['getChildren', 'getChildren2'] as const)('a watch of %s', async (read) => {
    const path = await it.client.create(`${it.root}/p`)
    const { watch, settled } = recorder(it)
    await it.client[read](path, { watch })
    await it.client.set(path, 'no child')
    await it.client.create(`${path}/c`)
    await it.client[read](path, { watch })
    await it.client.set(`${path}/c`, 'no new child')
    await it.client.delete(`${path}/c`)
    await it.client[read](path, { watch })
    await it.client.delete(path)
    const types = (await settled()).map(({ type }) => type)
    expect(types).toEqual(['childrenChanged', 'childrenChanged', 'deleted'])
  })

  test('a deletion is told once to who watches data and children', async () => {
    const path = await it.client.create(`${it.root}/p`)
    const { watch, settled } = recorder(it)
    await it.client.get(path, { watch })
    await it.client.exists(path, { watch })
    await it.client.getChildren(path, { watch })
    await it.client.delete(path)
    expect(await settled()).toEqual([{ type: 'deleted', path }])
  })

  test('a refused read arms nothing', async () => {
    const path = `${it.root}/a`
    const { watch, settled } = recorder(it)
    await it.client.get(path, { watch }).catch(() => {})
    await it.client.getChildren(path, { watch }).catch(() => {})
    await it.client.create(path)
    expect(await settled()).toEqual([])
  })

  test('two listeners of one node are both told', async () => {
    const one = recorder(it)
    const other = recorder(it)
    await it.client.get(it.root, one)
    await it.client.get(it.root, other)
    await it.client.set(it.root, 'x')
    expect([await one.settled(), await other.settled()].flat()).toHaveLength(2)
  })
}

function ordering(it: Fixture): void {
  test('the event comes before the reply that shows the change', async () => {
    const path = await it.client.create(`${it.root}/a`)
    const seen: string[] = []
    await it.client.get(path, { watch: ({ type }) => seen.push(type) })
    await it.client.set(path, 'x')
    seen.push('set')
    expect(seen).toEqual(['dataChanged', 'set'])
  })

  test('another client’s change is told before it can be read', async () => {
    const path = await it.client.create(`${it.root}/a`)
    const writer = it.open()
    for (let round = 1; round <= 20; round++) {
      let told = false
      await it.client.get(path, { watch: () => (told = true) })
      const written = writer.set(path, `${round}`)
      while (textOf((await it.client.get(path)).data) !== `${round}`) expect(told).toBe(false)
      expect(told).toBe(true)
      await written
    }
  })
}

function surviving(it: Fixture): void {
  test('what happened while the link was cut is told on the next one', async () => {
    const { client, cut } = it.openCuttable()
    const [changed, gone, parent, fresh] = ['changed', 'gone', 'parent', 'fresh'].map(
      (name) => `${it.root}/${name}`,
    ) as [string, string, string, string]
    for (const path of [changed, gone, parent]) await client.create(path)
    const { watch, settled } = recorder(it, client)
    await client.get(changed, { watch })
    await client.get(gone, { watch })
    await client.getChildren(parent, { watch })
    await client.exists(fresh, { watch })
    cut()
    await it.client.set(changed, 'x')
    await it.client.delete(gone)
    await it.client.create(`${parent}/child`)
    await it.client.create(fresh)
    const events = await settled()
    expect(events).toHaveLength(4)
    expect(new Set(events.map(({ type, path }) => `${type} ${path}`))).toEqual(
      new Set([
        `dataChanged ${changed}`,
        `deleted ${gone}`,
        `childrenChanged ${parent}`,
        `created ${fresh}`,
      ]),
    )
  })

  test('what did not happen then is told when it does', async () => {
    const { client, cut } = it.openCuttable()
    const path = await client.create(`${it.root}/a`)
    const { watch, settled } = recorder(it, client)
    await client.get(path, { watch })
    await client.getChildren(path, { watch })
    await client.exists(`${path}/c`, { watch })
    cut()
    expect(await settled()).toEqual([])
    await it.client.set(path, 'x')
    await it.client.create(`${path}/c`)
    expect(await settled()).toHaveLength(3)
  })

  test('more watches than one setWatches holds', async () => {
    const { client, cut } = it.openCuttable()
    const long = 'n'.repeat(200)
    const paths = Array.from({ length: 1500 }, (_, n) => `${it.root}/${long}${n}`)
    const { watch, events, settled } = recorder(it, client)
    await Promise.all(paths.map((path) => client.exists(path, { watch })))
    cut()
    await client.sync()
    await Promise.all(paths.map((path) => it.client.create(path)))
    await settled()
    expect(events).toHaveLength(paths.length)
  })

  test('the end of the session is told to every watch', async () => {
    const client = it.open()
    const { watch, events } = recorder(it, client)
    await client.get(it.root, { watch })
    await client.close()
    expect(events).toEqual([{ type: 'sessionEnded', path: it.root }])
  })
}

function following(it: Fixture): void {
  test('follow yields the newest value after every change', async () => {
    const path = `${it.root}/a`
    const seen: unknown[] = []
    const reader = it.open()
    const reading = (async () => {
      for await (const value of follow(reader, path)) {
        seen.push(value && textOf(value.data))
        if (value && textOf(value.data) === 'last') break
      }
    })()
    const shows = (value: unknown) => eventually(async () => expect(seen.at(-1)).toBe(value), 2000)
    await eventually(async () => expect(seen).toEqual([undefined]), 2000)
    await it.client.create(path, { data: 'first' })
    await shows('first')
    await it.client.delete(path)
    await shows(undefined)
    await it.client.create(path, { data: 'last' })
    await reading
    expect(seen).toEqual([undefined, 'first', undefined, 'last'])
  })
}
