import { runInDurableObject } from 'cloudflare:test'
import { expect, test } from 'vitest'
import { MemberStore } from '../../src/actors/member-store.ts'
import { checkpointZxidOf } from '../../src/core/tree/tree.ts'
import { asZxid, epochOf } from '../../src/core/shared/units.ts'
import { crash, formed, memberOf, open, statusOf, textOf, until } from './ensemble.ts'

const epochIn = (zxid: number): number => epochOf(asZxid(zxid))

/** What a member has on disk: where its checkpoint stands, and its log. */
const diskOf = (sid: number) =>
  runInDurableObject(memberOf(sid), (_, { storage }) => {
    const store = new MemberStore(storage)
    const checkpoint = checkpointZxidOf(store)
    const { batches, base, acceptedEpoch, currentEpoch } = store.restore(checkpoint)
    return { checkpoint, base, last: batches.at(-1)?.last ?? base, acceptedEpoch, currentEpoch }
  })

const checkpointed = (sid: number, zxid: number): Promise<unknown> =>
  until('a checkpoint', async () => (await diskOf(sid)).checkpoint >= zxid)

test('[R1] a write through one member is read at the others after a sync', async () => {
  await formed()
  const path = await open({ member: 1 }).create('/greeting', { data: 'hello' })
  for (const member of [2, 3]) {
    const client = open({ member })
    await client.sync()
    expect(textOf((await client.get(path)).data)).toBe('hello')
  }
})

test('[Z1] members with equal zxid have equal digest', async () => {
  const client = open()
  await client.create('/digest')
  for (let count = 0; count < 5; count++) await client.set('/digest', `value ${count}`)
  await until('equal zxids', async () => {
    const members = await Promise.all([1, 2, 3].map(statusOf))
    return new Set(members.map(({ zxid }) => zxid)).size === 1
  })
  const members = await Promise.all([1, 2, 3].map(statusOf))
  expect(new Set(members.map(({ digest }) => digest)).size).toBe(1)
  expect(members[0]?.digest).not.toBe('0')
})

test.each(['its log', 'its checkpoint and the rest of its log', 'its checkpoint alone'])(
  '[Z2] a member that died comes back from %s with everything acknowledged',
  async (from) => {
    const { leader, follower } = await formed()
    const writer = open({ member: leader })
    const root = await writer.create('/kept-', { mode: 'persistentSequential' })
    const written: string[] = []
    let last = 0
    const write = async (count: number): Promise<void> => {
      for (; count > 0; count--) {
        const { path, stat } = await writer.create2(`${root}/n`, {
          mode: 'persistentSequential',
          data: root,
        })
        written.push(path.slice(root.length + 1))
        last = stat.czxid
      }
    }
    await checkpointed(follower, (await writer.getChildren2(root)).stat.czxid)
    await write(5)
    if (from !== 'its log') await checkpointed(follower, last)
    if (from !== 'its checkpoint alone') await write(5)
    const before = await diskOf(follower)
    if (from === 'its checkpoint alone') expect(before.checkpoint).toBe(last)
    else expect(before.checkpoint).toBeLessThan(last)
    await crash(follower)
    await formed()
    const reader = open({ member: follower })
    await reader.sync()
    expect([...(await reader.getChildren(root))].toSorted()).toEqual(written.toSorted())
    const { acceptedEpoch, currentEpoch } = await diskOf(follower)
    expect(acceptedEpoch).toBeGreaterThanOrEqual(before.acceptedEpoch)
    expect(currentEpoch).toBeGreaterThanOrEqual(before.currentEpoch)
    expect((await statusOf(follower)).digest).toBe((await statusOf(leader)).digest)
  },
)

test('[Z3] when the leader dies a new epoch begins, and zxids go on above every one acknowledged', async () => {
  const { leader, follower, epoch } = await formed()
  const client = open({ member: follower })
  const { stat: before } = await client.create2('/before-the-leader-died')
  await crash(leader)
  const after = await formed()
  expect(after.epoch).toBeGreaterThan(epoch)
  const { stat } = await until('a write', () =>
    client.create2('/after-the-leader-died').catch(() => undefined),
  )
  expect(stat.czxid).toBeGreaterThan(before.czxid)
  expect(epochIn(stat.czxid)).toBe(after.epoch)
  expect(await client.exists('/before-the-leader-died')).toEqual(before)
})

test('[Z4] when all members die at once, everything acknowledged and every session is there afterwards', async () => {
  await formed()
  const client = open()
  await client.create('/survivor', { data: 'x', mode: 'ephemeral' })
  const ticket = client.session
  const { epoch } = await statusOf(1)
  await Promise.all([1, 2, 3].map(crash))
  await formed()
  const after = await until('a read', () => client.get('/survivor').catch(() => undefined))
  expect(textOf(after.data)).toBe('x')
  expect(client.session?.id).toBe(ticket?.id)
  expect((await statusOf(1)).epoch).toBeGreaterThan(epoch)
})
