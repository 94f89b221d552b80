import { expect, test } from 'vitest'
import {
  MultiError,
  read,
  step,
  type WatchEvent,
  ZooKeeperError,
} from '../../../src/client/index.ts'
import { Fixture, refusal, type Target, textOf } from './fixture.ts'

export function chroots(target: Target): void {
  const it = new Fixture(target)
  /** Below a subtree of the test's own. */
  const inside = () => it.open({ chroot: it.root })

  test('paths are prefixed on the way out and stripped on the way back', async () => {
    const client = inside()
    expect(await client.create('/a', { data: 'x' })).toBe('/a')
    expect((await client.create2('/n-', { mode: 'persistentSequential' })).path).toBe(
      '/n-0000000001',
    )
    expect((await client.createContainer('/c')).path).toBe('/c')
    expect((await client.createTtl('/t', 60_000)).path).toBe('/t')
    expect([...(await it.client.getChildren(it.root))].sort()).toEqual([
      'a',
      'c',
      'n-0000000001',
      't',
    ])
    expect([...(await client.getChildren('/'))].sort()).toEqual(['a', 'c', 'n-0000000001', 't'])
    expect(textOf((await client.get('/a')).data)).toBe('x')
    await client.set('/', 'of the root')
    expect(textOf((await it.client.get(it.root)).data)).toBe('of the root')
    expect(await client.sync('/a')).toBe('/a')
    expect(await client.getAllChildrenNumber('/')).toBe(4)
    await client.delete('/a')
    expect(await it.client.exists(`${it.root}/a`)).toBeUndefined()
  })

  test('in multi and multiRead too', async () => {
    const client = inside()
    const [a, container] = await client.multi([
      step.create('/a', { data: 'x' }),
      step.createContainer('/c'),
      step.check('/'),
    ])
    expect([a, container.path]).toEqual(['/a', '/c'])
    const failed = await client.multi([step.delete('/no')]).catch((error: unknown) => error)
    expect(failed).toBeInstanceOf(MultiError)
    expect(failed).toMatchObject({ path: '/no', code: 'NoNode' })
    const [value, missing] = await client.multiRead([read.get('/a'), read.get('/no')])
    if (value instanceof ZooKeeperError) throw value
    expect(textOf(value.data)).toBe('x')
    expect(missing).toMatchObject({ path: '/no', code: 'NoNode' })
  })

  test('events have the application’s paths, after a lost link too', async () => {
    const { client, cut } = it.openCuttable({ chroot: it.root })
    const events: WatchEvent[] = []
    const watch = (event: WatchEvent) => void events.push(event)
    await client.exists('/a', { watch })
    await client.getChildren('/', { watch })
    await client.create('/a')
    expect(events.map(({ type, path }) => `${type} ${path}`)).toEqual([
      'created /a',
      'childrenChanged /',
    ])
    events.length = 0
    await client.get('/a', { watch })
    await client.addWatch('/', 'persistentRecursive', watch)
    cut()
    await it.client.set(`${it.root}/a`, 'while away')
    await client.ready()
    await client.sync()
    await it.client.create(`${it.root}/b`)
    await client.sync()
    await client.exists('/')
    expect(new Set(events.map(({ type, path }) => `${type} ${path}`))).toEqual(
      new Set(['resumed /', 'dataChanged /a', 'created /b']),
    )
  })

  test('getEphemerals tells of those inside', async () => {
    const { session } = it.client
    await it.client.create(`${it.root}/in`)
    for (const name of ['in/e', 'in/f', 'out', 'inner']) {
      await it.client.create(`${it.root}/${name}`, { mode: 'ephemeral' })
    }
    it.client.leave()
    const client = it.open({ chroot: `${it.root}/in`, ...(session && { session }) })
    expect([...(await client.getEphemerals())].sort()).toEqual(['/e', '/f'])
    expect(await client.getEphemerals('/e')).toEqual(['/e'])
  })

  test('one that is missing is NoNode until it is there', async () => {
    const client = it.open({ chroot: `${it.root}/app/deep` })
    expect(await refusal(client.create('/a'))).toBe('NoNode')
    await it.client.create(`${it.root}/app`)
    await client.create('/')
    expect(await client.create('/a')).toBe('/a')
    expect(await it.client.exists(`${it.root}/app/deep/a`)).toBeDefined()
  })

  test('no path leads out', async () => {
    const { path } = await it.client.create2(`${it.root}le`)
    const client = inside()
    expect(await refusal(client.get('le'))).toBe('BadArguments')
    expect(await refusal(client.delete('le'))).toBe('BadArguments')
    expect(await refusal(client.multi([step.delete('le')]))).toBe('BadArguments')
    expect(await refusal(client.getChildren(''))).toBe('BadArguments')
    expect(await it.client.exists(path)).toBeDefined()
  })
}
