/** Quotas: what is counted, what is refused. */
import { describe, expect, it } from 'vitest'
import { worldAnyone } from '../../../src/core/tree/acl.ts'
import { errorCodes } from '../../../src/core/wire/refusals.ts'
import { until } from '../../support/until.ts'
import type { Session } from './session.ts'
import { onBothSides } from './sides.ts'

const { QuotaExceeded } = errorCodes

const settings = {
  ours: { ENFORCE_QUOTA: 'true' },
  apache: { 'zookeeper.enforceQuota': 'true' },
}
const node = (path: string, bytes = 0) => ({
  path,
  data: new Uint8Array(bytes),
  acl: [...worldAnyone],
  flags: 0,
})
const textAt = async (session: Session, path: string): Promise<string> =>
  new TextDecoder().decode(
    (await session.get('getData', { path, watch: false })).data ?? new Uint8Array(0),
  )
const statsOf = (session: Session, path: string): Promise<string> =>
  textAt(session, `/zookeeper/quota${path}/zookeeper_stats`)

/** As zkCli’s setquota does it. */
async function limit(session: Session, path: string, limits: string): Promise<void> {
  await session.create(`/zookeeper/quota${path}`)
  await session.create(`/zookeeper/quota${path}/zookeeper_limits`, { data: limits })
  await session.create(`/zookeeper/quota${path}/zookeeper_stats`, { data: 'count=0,bytes=0' })
}

onBothSides(settings, (side) => {
  it('Q01 a quota’s node counts what is below it, itself too, in ZooKeeper’s words', async () => {
    const [session, root] = await side.begin()
    await session.set(root, 'four')
    await session.create(`${root}/before`, { data: '123456' })
    await limit(session, root, 'count=100,bytes=-1')
    expect(await statsOf(session, root)).toBe('count=2,bytes=10')
    await session.create(`${root}/a`, { data: '12' })
    await session.create(`${root}/a/b`)
    await session.set(`${root}/before`, '1')
    await session.delete(`${root}/a/b`)
    expect(await statsOf(session, root)).toBe('count=3,bytes=7')
    expect(await textAt(session, `/zookeeper/quota${root}/zookeeper_limits`)).toBe(
      'count=100,bytes=-1',
    )
  })

  it('Q03 a hard quota refuses the node or the bytes too many with −125', async () => {
    const [session, root] = await side.begin()
    await limit(session, root, 'count=-1,bytes=-1=;byteHardLimit=10;countHardLimit=3')
    expect(await session.err('create', node(`${root}/a`, 8))).toBe(0)
    expect(await session.err('create', node(`${root}/b`, 3))).toBe(QuotaExceeded)
    expect(await session.err('create', node(`${root}/b`, 2))).toBe(0)
    expect(await session.err('create', node(`${root}/c`))).toBe(QuotaExceeded)
    const set = (bytes: number) =>
      session.err('setData', { path: `${root}/a`, data: new Uint8Array(bytes), version: -1 })
    expect([await set(9), await set(8), await set(1), await set(7)]).toEqual([
      QuotaExceeded,
      0,
      0,
      0,
    ])
    await session.delete(`${root}/b`)
    expect(await session.err('create', node(`${root}/c`, 3))).toBe(0)
    expect(await statsOf(session, root)).toBe('count=3,bytes=10')
  })

  it('Q04 the operations of a multi are counted', async () => {
    const [session, root] = await side.begin()
    await limit(session, root, 'count=100,bytes=100')
    await session.multi([
      { operation: 'create', request: node(`${root}/a`, 5) },
      { operation: 'create', request: node(`${root}/a/b`, 7) },
      { operation: 'delete', request: { path: `${root}/a/b`, version: -1 } },
      { operation: 'create', request: node(`${root}/c`, 11) },
    ])
    expect(await statsOf(session, root)).toBe('count=3,bytes=16')
  })

  describe.skipIf(!side.isOurs)('with members of our own', () => {
    it('Q04 what was counted outlives every member, and is the same at each', async () => {
      const [session, root] = await side.begin()
      await limit(session, root, 'count=100,bytes=100')
      for (const name of ['a', 'b', 'c']) await session.create(`${root}/${name}`, { data: 'xyz' })
      await session.delete(`${root}/b`)
      await session.close()
      for (const sid of [1, 2, 3]) {
        await side.ensemble.restartMember(sid)
        await side.ensemble.formed()
      }
      for (const member of [0, 1, 2]) {
        const later = await until('a member that serves', () => side.open({}, member))
        await later.get('sync', { path: root })
        expect(await statsOf(later, root)).toBe('count=3,bytes=6')
      }
    })
  })
})
