import { expect, test } from 'vitest'
import { Barrier, DoubleBarrier } from '../../../src/recipes/index.ts'
import { eventually, Fixture, type Target } from '../../client/suite/fixture.ts'

export function barriers(target: Target): void {
  const it = new Fixture(target)

  test('everyone waits while it is raised, and goes on when it is lifted', async () => {
    const path = `${it.root}/deep/barrier`
    const barrier = new Barrier(it.client, path)
    await barrier.wait()
    await barrier.raise()
    await barrier.raise()
    const { client, cut } = it.openCuttable()
    let passed = 0
    const waiting = [client, it.open()].map((one) =>
      new Barrier(one, path).wait().then(() => (passed += 1)),
    )
    await client.sync()
    cut()
    await client.sync()
    expect(passed).toBe(0)
    await barrier.lift()
    await barrier.lift()
    await Promise.all(waiting)
  })

  test('a wait can be given up', async () => {
    const barrier = new Barrier(it.client, `${it.root}/barrier`)
    await barrier.raise()
    const impatient = new AbortController()
    const waiting = barrier.wait({ signal: impatient.signal })
    impatient.abort(new Error('no time'))
    await expect(waiting).rejects.toThrow('no time')
  })

  test('all enter together and leave together, again and again', async () => {
    const path = `${it.root}/double`
    const clients = [it.client, it.open(), it.open()]
    const doubles = clients.map((client) => new DoubleBarrier(client, path, clients.length))
    let [inside, left] = [0, 0]
    for (let round = 0; round < 3; round++) {
      ;[inside, left] = [0, 0]
      const entering = doubles.map((double) => double.enter().then(() => (inside += 1)))
      await Promise.all(entering)
      expect(inside).toBe(3)
      const slow = doubles[round] as DoubleBarrier
      const leaving = doubles
        .filter((double) => double !== slow)
        .map((double) => double.leave().then(() => (left += 1)))
      await it.client.sync()
      expect(left).toBe(0)
      await Promise.all([...leaving, slow.leave()])
      expect(await it.client.getChildren(path)).toEqual([])
    }
  })

  test('nobody enters before the last has come', async () => {
    const path = `${it.root}/double`
    let entered = 0
    const first = new DoubleBarrier(it.client, path, 2)
    const entering = first.enter().then(() => (entered += 1))
    await eventually(async () => expect(await it.client.getChildren(path)).toHaveLength(1), 5000)
    expect(entered).toBe(0)
    const impatient = new AbortController()
    const other = new DoubleBarrier(it.open(), path, 3)
    const given = other.enter({ signal: impatient.signal })
    impatient.abort(new Error('no time'))
    await expect(given).rejects.toThrow('no time')
    await new DoubleBarrier(it.open(), path, 2).enter()
    await entering
  })

  test('one whose session ends has left, and what it leaves behind opens no later round', async () => {
    const path = `${it.root}/double`
    const [a, b] = [it.open(), it.open()]
    const doubles = [a, b].map((client) => new DoubleBarrier(client, path, 2))
    await Promise.all(doubles.map((double) => double.enter()))
    await a.close()
    await (doubles[1] as DoubleBarrier).leave()
    const dying = new DoubleBarrier(it.open(), path, 2)
    await it.client.create(`${path}/ready`).catch(() => {})
    let entered = 0
    const again = dying.enter().then(() => (entered += 1))
    await eventually(
      async () => expect(await it.client.getChildren(path)).not.toContain('ready'),
      5000,
    )
    expect(entered).toBe(0)
    await new DoubleBarrier(it.client, path, 2).enter()
    await again
  })
}
