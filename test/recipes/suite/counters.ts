import { expect, test } from 'vitest'
import { Counter } from '../../../src/recipes/index.ts'
import { Fixture, type Target } from '../../client/suite/fixture.ts'

export function counters(target: Target): void {
  const it = new Fixture(target)

  test('what many add is not lost, and no value comes twice', async () => {
    const path = `${it.root}/deep/counter`
    expect(await new Counter(it.client, path).value()).toBe(0)
    const values = await Promise.all(
      [it.client, it.open(), it.open()].map(async (client) => {
        const counter = new Counter(client, path)
        const own: number[] = []
        for (let count = 0; count < 10; count++) own.push(await counter.add())
        return own
      }),
    )
    const sorted = values.flat().sort((one, other) => one - other)
    expect(sorted).toEqual(Array.from({ length: 30 }, (_, n) => n + 1))
    const counter = new Counter(it.client, path)
    expect(await counter.add(-50)).toBe(-20)
    await it.client.sync(path)
    expect(await counter.value()).toBe(-20)
  })

  test('a link that is lost on the way makes nothing count twice', async () => {
    const path = `${it.root}/counter`
    const { client, cut } = it.openCuttable()
    const counter = new Counter(client, path)
    for (let count = 1; count <= 6; count++) {
      const adding = counter.add()
      // The set leaves behind the reply to the read; wherever the cut falls, it counts once.
      for (let turns = 0; turns < count; turns++) await new Promise((next) => setImmediate(next))
      cut()
      expect(await adding).toBe(count)
    }
    expect(await counter.value()).toBe(6)
  })

  test('what is no number is not counted on', async () => {
    const path = await it.client.create(`${it.root}/text`, { data: 'many' })
    await expect(new Counter(it.client, path).add()).rejects.toThrow(RangeError)
    const large = await it.client.create(`${it.root}/large`, { data: `${Number.MAX_SAFE_INTEGER}` })
    await expect(new Counter(it.client, large).add()).rejects.toThrow(RangeError)
  })
}
