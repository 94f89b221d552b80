import { expect, test } from 'vitest'
import { Group, type Members } from '../../../src/recipes/index.ts'
import { eventually, Fixture, refusal, type Target, textOf } from '../../client/suite/fixture.ts'

const shown = (members: Members) => [...members].map(([name, data]) => `${name}=${textOf(data)}`)

export function members(target: Target): void {
  const it = new Fixture(target)

  test('members come, say something, and go with their sessions', async () => {
    const path = `${it.root}/deep/group`
    const group = new Group(it.client, path)
    expect(shown(await group.members())).toEqual([])
    const own = await group.join('a', 'of a')
    const other = it.open()
    await new Group(other, path).join('b', 'of b')
    await it.client.sync()
    expect(shown(await group.members())).toEqual(['a=of a', 'b=of b'])
    expect(await refusal(group.join('b'))).toBe('NodeExists')
    await other.close()
    await it.client.sync()
    expect(shown(await group.members())).toEqual(['a=of a'])
    await own.release()
    expect(shown(await group.members())).toEqual([])
  })

  test('follow yields who is there after every change, through lost links', async () => {
    const path = `${it.root}/group`
    const { client, cut } = it.openCuttable()
    const stop = new AbortController()
    const seen: string[][] = []
    const following = (async () => {
      for await (const now of new Group(client, path).follow({ signal: stop.signal })) {
        seen.push([...now.keys()])
      }
    })()
    const shows = (names: string[]) =>
      eventually(() => Promise.resolve(expect(seen.at(-1)).toEqual(names)), 5000)
    await shows([])
    const group = new Group(it.client, path)
    const a = await group.join('a')
    await shows(['a'])
    cut()
    await group.join('b')
    await shows(['a', 'b'])
    await a.release()
    await shows(['b'])
    stop.abort()
    await following
  })

  test('a membership that is deleted is lost', async () => {
    const hold = await new Group(it.client, `${it.root}/group`).join('a')
    await it.open().delete(hold.path)
    await eventually(() => Promise.resolve(expect(hold.lost.aborted).toBe(true)), 5000)
  })
}
