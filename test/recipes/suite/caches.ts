import { expect, test } from 'vitest'
import { allow } from '../../../src/client/index.ts'
import { cacheSubtree, type SubtreeCache } from '../../../src/recipes/index.ts'
import { eventually, Fixture, type Target, textOf } from '../../client/suite/fixture.ts'

export function caches(target: Target): void {
  const it = new Fixture(target)

  const shown = (cache: SubtreeCache) =>
    [...cache.entries()]
      .map(([path, { data }]) => `${path.slice(it.root.length) || '.'}=${textOf(data)}`)
      .sort()
  const shows = (cache: SubtreeCache, expected: readonly string[]) =>
    eventually(() => Promise.resolve(expect(shown(cache)).toEqual([...expected].sort())), 5000)

  test('it has everything there is, and follows', async () => {
    const writer = it.open()
    for (const path of ['/a', '/a/b', '/c']) await writer.create(it.root + path, { data: path })
    await it.client.sync()
    const cache = await cacheSubtree(it.client, it.root)
    expect(shown(cache)).toEqual(['.=', '/a/b=/a/b', '/a=/a', '/c=/c'])
    expect(cache.children(it.root)).toEqual(['a', 'c'])
    const changes: string[] = []
    const stop = cache.onChange(({ type, path }) =>
      changes.push(`${type} ${path.slice(it.root.length)}`),
    )
    await writer.set(`${it.root}/a/b`, 'new')
    await shows(cache, ['.=', '/a=/a', '/a/b=new', '/c=/c'])
    await writer.create(`${it.root}/a/b/d`, { data: 'd' })
    await shows(cache, ['.=', '/a=/a', '/a/b=new', '/a/b/d=d', '/c=/c'])
    await writer.delete(`${it.root}/a/b/d`)
    await writer.delete(`${it.root}/a/b`)
    await shows(cache, ['.=', '/a=/a', '/c=/c'])
    expect(cache.children(`${it.root}/a`)).toEqual([])
    expect(cache.get(`${it.root}/a/b`)).toBeUndefined()
    expect(changes).toEqual(['changed /a/b', 'added /a/b/d', 'removed /a/b/d', 'removed /a/b'])
    stop()
    await cache.close()
    await writer.set(`${it.root}/c`, 'unheard')
    await it.client.sync()
    expect(textOf(cache.get(`${it.root}/c`)?.data ?? null)).toBe('/c')
    expect(changes).toHaveLength(4)
  })

  test('what was missed while the link was lost is made up for', async () => {
    const { client, cut } = it.openCuttable()
    for (const path of ['/a', '/a/b', '/c', '/d']) await it.client.create(it.root + path)
    await client.sync()
    const cache = await cacheSubtree(client, it.root)
    cut()
    await it.client.delete(`${it.root}/a/b`)
    await it.client.delete(`${it.root}/a`)
    await it.client.delete(`${it.root}/c`)
    await it.client.create(`${it.root}/c`, { data: 'another' })
    await it.client.set(`${it.root}/d`, 'new')
    await it.client.create(`${it.root}/e`, { data: 'e' })
    await shows(cache, ['.=', '/c=another', '/d=new', '/e=e'])
    await it.client.create(`${it.root}/e/f`)
    await shows(cache, ['.=', '/c=another', '/d=new', '/e=e', '/e/f='])
  })

  test('it is the server’s tree after any storm of changes, cuts among them', async () => {
    const { client, cut } = it.openCuttable({ retryDelayMs: { first: 20, max: 20 } })
    const cache = await cacheSubtree(client, it.root)
    const paths = ['/a', '/a/a', '/a/a/a', '/a/b', '/b', '/b/a', '/b/b', '/c']
    const writers = [it.client, it.open()]
    const work = writers.map(async (writer, at) => {
      for (let n = 0; n < 300; n++) {
        const path = it.root + paths[(n * (at === 0 ? 5 : 7)) % paths.length]
        const changing =
          n % 3 === 0
            ? writer.delete(path)
            : n % 3 === 1
              ? writer.create(path, { data: `${at}${n}` })
              : writer.set(path, `${at}${n}`)
        await changing.catch(() => {})
        if (at === 0 && n % 75 === 74) cut()
      }
    })
    await Promise.all(work)
    await it.client.sync()
    const expected: string[] = []
    for (const path of ['', ...paths]) {
      const value = await it.client.get(it.root + path).catch(() => undefined)
      if (value) expected.push(`${path || '.'}=${textOf(value.data)}`)
    }
    await shows(cache, expected)
    for (const [path, { stat }] of cache.entries()) {
      expect((await it.client.get(path)).stat.mzxid).toBe(stat.mzxid)
    }
  })

  test('one that is not there yet is copied when it is', async () => {
    const cache = await cacheSubtree(it.client, `${it.root}/later`)
    expect([...cache.entries()]).toEqual([])
    await it.open().create(`${it.root}/later`, { data: 'x' })
    await shows(cache, ['/later=x'])
  })

  test('what the client may not read is left out', async () => {
    const acl = [await allow.digest('bob', 'pw')]
    await it.client.create(`${it.root}/open`)
    await it.client.create(`${it.root}/secret`, { acl })
    const cache = await cacheSubtree(it.client, it.root)
    expect(shown(cache)).toEqual(['.=', '/open='])
  })

  test('two of one client are closed one by one', async () => {
    const one = await cacheSubtree(it.client, it.root)
    const other = await cacheSubtree(it.client, it.root)
    await one.close()
    await one.close()
    await it.open().create(`${it.root}/a`)
    await shows(other, ['.=', '/a='])
    expect(shown(one)).toEqual(['.='])
    await other.close()
  })
}
