/** A leader's zxids end: as its clients see it, and as its disks have it. */
import { afterEach, expect, test } from 'vitest'
import { limits } from '../../src/core/shared/limits.ts'
import { asZxid, counterOf, epochOf } from '../../src/core/shared/units.ts'
import { crash, formed, open, statusOf, until } from './ensemble.ts'

const { zxidsReserved } = limits
/** Four thousand million txns are more than a test can write: here so many more are held in reserve. */
const reserve = (zxids: number): void => {
  ;(limits as { zxidsReserved: number }).zxidsReserved = zxids
}
afterEach(() => reserve(zxidsReserved))

test('Z17 an epoch that has no zxid left ends in an election, again and again: nothing is lost, zxids go on', async () => {
  await formed()
  const client = open()
  await client.create('/rolled', { mode: 'ephemeral' })
  const session = client.session?.id
  const root = await client.create('/rolls')
  const { epoch } = await formed()
  reserve(limits.counterMax - 40)
  const acknowledged: { readonly path: string; readonly zxid: number }[] = []
  await until(
    'three epochs to be used up',
    async () => {
      const { path, stat } = await client.create2(`${root}/n-`, { mode: 'persistentSequential' })
      acknowledged.push({ path, zxid: stat.czxid })
      return epochOf(asZxid(stat.czxid)) >= epoch + 3
    },
    40_000,
  )
  const zxids = acknowledged.map(({ zxid }) => zxid)
  expect(zxids).toEqual(zxids.toSorted((a, b) => a - b))
  expect(new Set(zxids).size).toBe(zxids.length)
  // None goes on far beyond where it is to end: what was under way may still be answered.
  for (const zxid of zxids) expect(counterOf(asZxid(zxid))).toBeLessThan(200)
  expect(acknowledged.length).toBeGreaterThan(60)
  reserve(zxidsReserved)
  const names = async (): Promise<readonly string[]> => {
    await until('a sync', () =>
      client.sync().then(
        () => true,
        () => false,
      ),
    )
    return client.getChildren(root)
  }
  const wanted = acknowledged.map(({ path }) => path.slice(root.length + 1))
  expect(await names()).toEqual(expect.arrayContaining(wanted))
  await Promise.all([1, 2, 3].map(crash))
  await formed()
  expect(await names()).toEqual(expect.arrayContaining(wanted))
  expect((await client.exists('/rolled'))?.ephemeralOwner).toBe(session)
  await until('equal trees', async () => {
    const members = await Promise.all([1, 2, 3].map(statusOf))
    return new Set(members.map(({ zxid, digest }) => `${zxid} ${digest}`)).size === 1
  })
}, 60_000)
