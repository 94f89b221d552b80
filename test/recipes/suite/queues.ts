import { expect, test } from 'vitest'
import { type Item, Queue } from '../../../src/recipes/index.ts'
import { eventually, Fixture, refusal, type Target, textOf } from '../../client/suite/fixture.ts'

const letter = ({ data }: Item) => textOf(data)

export function queues(target: Target): void {
  const it = new Fixture(target)

  test('first in, first out, each item to one taker', async () => {
    const path = `${it.root}/deep/queue`
    const producer = new Queue(it.client, path)
    for (const data of ['a', 'b', 'c', 'd']) await producer.put(data)
    expect(await producer.size()).toBe(4)
    const takers = [it.open(), it.open()].map((client) => new Queue(client, path))
    const taken: (string | null)[] = []
    for (let at = 0; at < 4; at++) {
      const item = await (takers[at % 2] as Queue).take()
      taken.push(letter(item))
      await item.done()
    }
    expect(taken).toEqual(['a', 'b', 'c', 'd'])
    await it.client.sync()
    expect(await producer.size()).toBe(0)
  })

  test('many takers at once take everything once', async () => {
    const path = `${it.root}/queue`
    const producer = new Queue(it.client, path)
    const items = Array.from({ length: 30 }, (_, n) => `${n}`)
    const taken: (string | null)[] = []
    const working = [it.open(), it.open(), it.open()].map(async (client) => {
      const queue = new Queue(client, path)
      for (let count = 0; count < 10; count++) {
        const item = await queue.take()
        taken.push(letter(item))
        await item.done()
      }
    })
    for (const data of items) await producer.put(data)
    await Promise.all(working)
    expect(taken.map(String).sort()).toEqual([...items].sort())
    await it.client.sync()
    expect(await producer.size()).toBe(0)
  })

  test('what is put back, or was a dead taker’s, is taken again', async () => {
    const path = `${it.root}/queue`
    const queue = new Queue(it.client, path)
    await queue.put('a')
    await queue.put('b')
    const back = await queue.take()
    const dying = it.open()
    expect(letter(await new Queue(dying, path).take())).toBe('b')
    await back.putBack()
    const again = await queue.take()
    expect(letter(again)).toBe('a')
    const waiting = queue.take()
    await dying.close()
    expect(letter(await waiting)).toBe('b')
    await again.done()
    expect(await refusal(again.done())).toBe('NoNode')
  })

  test('a taker waits for an item, through lost links, until it gives up', async () => {
    const path = `${it.root}/queue`
    const { client, cut } = it.openCuttable()
    const queue = new Queue(client, path)
    const waiting = queue.take()
    await eventually(
      async () => expect(await it.client.exists(`${path}/items`)).toBeDefined(),
      5000,
    )
    cut()
    await new Queue(it.client, path).put('late')
    const item = await waiting
    expect(letter(item)).toBe('late')
    cut()
    await item.done()
    expect(await queue.size()).toBe(0)
    const impatient = new AbortController()
    const given = queue.take({ signal: impatient.signal })
    impatient.abort(new Error('no time'))
    await expect(given).rejects.toThrow('no time')
  })
}
