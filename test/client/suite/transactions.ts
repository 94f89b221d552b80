import { expect, test } from 'vitest'
import { MultiError, step } from '../../../src/client/index.ts'
import { Fixture, type Target, textOf } from './fixture.ts'

export function transactions(target: Target): void {
  const it = new Fixture(target)

  test('every step answers in its place, at one zxid', async () => {
    const { root, client } = it
    const [a, checked, job, stat, gone] = await client.multi([
      step.create(`${root}/a`, { data: '1' }),
      step.check(`${root}/a`, { version: 0 }),
      step.create(`${root}/a/job-`, { mode: 'ephemeralSequential' }),
      step.set(`${root}/a`, 'two', { version: 0 }),
      step.delete(`${root}/a/job-0000000000`),
    ])
    expect(a).toBe(`${root}/a`)
    expect(checked).toBeUndefined()
    expect(job).toBe(`${root}/a/job-0000000000`)
    expect(gone).toBeUndefined()
    expect(stat).toMatchObject({ version: 1, dataLength: 3, mzxid: stat.czxid })
    const after = await client.get(a)
    expect(textOf(after.data)).toBe('two')
    expect(after.stat).toMatchObject({ cversion: 2, pzxid: stat.mzxid })
  })

  test('every kind of create, and what it answers', async () => {
    const { root, client } = it
    const [plain, second, container, mortal, numbered] = await client.multi([
      step.create(`${root}/plain`),
      step.create2(`${root}/second`),
      step.createContainer(`${root}/container`, { data: 'c' }),
      step.createTtl(`${root}/mortal`, 60_000, { data: 'm' }),
      step.createTtl(`${root}/n-`, 60_000, { sequential: true }),
    ])
    expect([plain, second]).toEqual([`${root}/plain`, `${root}/second`])
    expect(container).toEqual({
      path: `${root}/container`,
      stat: (await client.get(`${root}/container`)).stat,
    })
    expect(mortal).toEqual({
      path: `${root}/mortal`,
      stat: (await client.get(`${root}/mortal`)).stat,
    })
    expect(numbered.path).toBe(`${root}/n-0000000004`)
    expect(numbered.stat.czxid).toBe(container.stat.czxid)
  })

  test('one refused step and nothing happens', async () => {
    const { root, client } = it
    const failed = await client
      .multi([
        step.create(`${root}/a`),
        step.set(root, 'x'),
        step.check(root, { version: 7 }),
        step.create(`${root}/b`),
      ])
      .catch((error: unknown) => error)
    expect(failed).toBeInstanceOf(MultiError)
    expect(failed).toMatchObject({ index: 2, code: 'BadVersion', operation: 'check', path: root })
    expect(await client.getChildren(root)).toEqual([])
    expect((await client.get(root)).stat.version).toBe(0)
  })

  test.each([
    ['NodeExists', 0, (root: string) => [step.create(root)]],
    ['NoNode', 1, (root: string) => [step.create(`${root}/a`), step.delete(`${root}/b`)]],
    ['NotEmpty', 1, (root: string) => [step.create(`${root}/a`), step.delete(root)]],
  ] as const)('%s is told with its step, %i', async (code, index, steps) => {
    const failed = await it.client.multi(steps(it.root)).catch((error: unknown) => error)
    expect(failed).toMatchObject({ code, index })
  })

  test('a multi of nothing answers nothing', async () => {
    expect(await it.client.multi([])).toEqual([])
  })
}
