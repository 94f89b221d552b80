import { expect, test } from 'vitest'
import { eventually, Fixture, refusal, type Target } from './fixture.ts'

export function lifetimes(target: Target): void {
  const it = new Fixture(target)
  const patienceMs = target.reaperMs * 10 + 5000

  test('a container stays while it is new, and goes with its last child', async () => {
    const { path, stat } = await it.client.createContainer(`${it.root}/c`, { data: 'x' })
    expect(path).toBe(`${it.root}/c`)
    expect(stat).toEqual((await it.client.get(path)).stat)
    expect(stat).toMatchObject({ ephemeralOwner: 0n, dataLength: 1, version: 0 })
    await it.client.create(`${path}/child`)
    await it.client.delete(`${path}/child`)
    await eventually(async () => expect(await it.client.exists(path)).toBeUndefined(), patienceMs)
  })

  test('a node past its time to live goes, one before it stays', async () => {
    const mortal = await it.client.createTtl(`${it.root}/mortal`, 1)
    const stays = await it.client.createTtl(`${it.root}/stays`, 600_000, { data: 'x' })
    expect(stays.stat).toEqual((await it.client.get(stays.path)).stat)
    await eventually(
      async () => expect(await it.client.exists(mortal.path)).toBeUndefined(),
      patienceMs,
    )
    expect(await it.client.exists(stays.path)).toBeDefined()
  })

  test('a sequential one has digits', async () => {
    const options = { sequential: true }
    const first = await it.client.createTtl(`${it.root}/job-`, 600_000, options)
    const second = await it.client.createTtl(`${it.root}/job-`, 600_000, options)
    expect([first.path, second.path]).toEqual([
      `${it.root}/job-0000000000`,
      `${it.root}/job-0000000001`,
    ])
  })

  test('refusals', async () => {
    expect(await refusal(it.client.createContainer(it.root))).toBe('NodeExists')
    expect(await refusal(it.client.createContainer(`${it.root}/no/c`))).toBe('NoNode')
    expect(await refusal(it.client.createTtl(it.root, 1000))).toBe('NodeExists')
    expect(await refusal(it.client.createTtl(`${it.root}/t`, 0))).toBe('BadArguments')
    expect(await refusal(it.client.createTtl(`${it.root}/t`, 2 ** 40))).toBe('BadArguments')
  })
}
