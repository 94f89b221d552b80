import { expect, test } from 'vitest'
import { read, ZooKeeperError } from '../../../src/client/index.ts'
import { Fixture, refusal, type Target, textOf } from './fixture.ts'

export function reads(target: Target): void {
  const it = new Fixture(target)

  test('multiRead answers each in its place, a refused one its error', async () => {
    const path = await it.client.create(`${it.root}/a`, { data: 'hello' })
    const [value, children, missing] = await it.client.multiRead([
      read.get(path),
      read.getChildren(it.root),
      read.get(`${it.root}/no`),
    ])
    if (value instanceof ZooKeeperError) throw value
    expect(textOf(value.data)).toBe('hello')
    expect(value.stat).toEqual((await it.client.get(path)).stat)
    expect(children).toEqual(['a'])
    expect(missing).toBeInstanceOf(ZooKeeperError)
    expect(missing).toMatchObject({ code: 'NoNode', operation: 'getData', path: `${it.root}/no` })
  })

  test('multiRead of nothing answers nothing', async () => {
    expect(await it.client.multiRead([])).toEqual([])
  })

  test('getEphemerals answers those of this session, below a prefix or all', async () => {
    const other = it.open()
    await other.create(`${it.root}/other`, { mode: 'ephemeral' })
    for (const name of ['a1', 'a2', 'b']) {
      await it.client.create(`${it.root}/${name}`, { mode: 'ephemeral' })
    }
    await it.client.create(`${it.root}/stays`)
    const sorted = async (prefix?: string) => [...(await it.client.getEphemerals(prefix))].sort()
    expect(await sorted()).toEqual(['a1', 'a2', 'b'].map((name) => `${it.root}/${name}`))
    expect(await sorted(`${it.root}/a`)).toEqual([`${it.root}/a1`, `${it.root}/a2`])
    expect(await other.getEphemerals()).toEqual([`${it.root}/other`])
    expect(await sorted(`${it.root}/no`)).toEqual([])
  })

  test('getAllChildrenNumber counts every depth', async () => {
    expect(await it.client.getAllChildrenNumber(it.root)).toBe(0)
    for (const path of ['/a', '/a/b', '/a/b/c', '/d']) await it.client.create(it.root + path)
    expect(await it.client.getAllChildrenNumber(it.root)).toBe(4)
    expect(await it.client.getAllChildrenNumber(`${it.root}/a`)).toBe(2)
    expect(await refusal(it.client.getAllChildrenNumber(`${it.root}/no`))).toBe('NoNode')
  })
}
