/**
 * A member dies before, right after, and once durable after each of the writes that lead into a new epoch, and it dies in
 * the middle of a snapshot: whenever that is, it comes back, and nothing that was acknowledged is missing anywhere.
 */
import { runInDurableObject } from 'cloudflare:test'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { MemberStore } from '../../src/actors/member-store.ts'
import { asEpoch, asZxid, epochOf, type Zxid, zxidOf } from '../../src/core/shared/units.ts'
import type { Persist } from '../../src/core/turn.ts'
import { type TxnBody, writeTxn } from '../../src/core/tree/txn.ts'
import { worldAnyone } from '../../src/core/tree/acl.ts'
import { checkpointZxidOf } from '../../src/core/tree/tree.ts'
import { BatchWriter, type LogBatch } from '../../src/core/zab/log-batch.ts'
import { crash, formed, memberOf, open, statusOf, until } from './ensemble.ts'

const moments = ['before it is written', 'right after', 'once it is durable'] as const
type Moment = (typeof moments)[number]

interface Trap {
  /** Whose write; undefined: whoever comes first. */
  readonly sid: number | undefined
  readonly matches: (persist: Persist) => boolean
  readonly moment: Moment
  /** Who died. */
  sprung: number | undefined
}

let trap: Trap | undefined
/** The members' present lives, to be ended from within their own turn. */
const lives = new Map<number, DurableObjectState>()

beforeEach(() => {
  const store = MemberStore.prototype
  const write = Reflect.get(store, 'write') as (persists: readonly Persist[]) => void
  const durable = Reflect.get(store, 'durable') as () => Promise<void>
  const awaited = new Set<MemberStore>()
  vi.spyOn(store, 'write').mockImplementation(function (this: MemberStore, persists) {
    const sid = this.sid(undefined) as number
    const isHit =
      trap !== undefined &&
      trap.sprung === undefined &&
      (trap.sid ?? sid) === sid &&
      persists.some((persist) => trap?.matches(persist))
    if (!isHit || trap === undefined) return write.call(this, persists)
    trap.sprung = sid
    if (trap.moment === 'before it is written') return lives.get(sid)?.abort('before a write')
    write.call(this, persists)
    if (trap.moment === 'right after') return lives.get(sid)?.abort('right after a write')
    awaited.add(this)
  })
  vi.spyOn(store, 'durable').mockImplementation(async function (this: MemberStore) {
    await durable.call(this)
    if (!awaited.has(this)) return
    lives.get(this.sid(undefined) as number)?.abort('once a write was durable')
  })
})
afterEach(() => {
  trap = undefined
  vi.restoreAllMocks()
})

const lifeOf = async (sid: number): Promise<void> => {
  lives.set(sid, await runInDurableObject(memberOf(sid), (_, state) => state))
}

/** Ends in the middle of what `provoke` leads to, unless that never happens. */
async function dies(how: Omit<Trap, 'sprung'>, provoke: () => Promise<unknown>): Promise<number> {
  await Promise.all([1, 2, 3].map(lifeOf))
  trap = { ...how, sprung: undefined }
  const armed = trap
  await provoke()
  const sid = await until('the write', () => armed.sprung)
  trap = undefined
  return sid
}

/** What is below a node that the ensemble acknowledged; each member has it all, and the same tree. */
async function nothingIsMissing(root: string, acknowledged: readonly string[]): Promise<void> {
  await allHave(root, acknowledged)
  // What memory knows is not yet what the disks have.
  await Promise.all([1, 2, 3].map(crash))
  await allHave(root, acknowledged)
}

async function allHave(root: string, acknowledged: readonly string[]): Promise<void> {
  await formed()
  const reader = open()
  await until('a sync', () =>
    reader.sync().then(
      () => true,
      () => false,
    ),
  )
  const children = await reader.getChildren(root)
  expect(await reader.exists('/dropped')).toBeUndefined()
  expect(children).toEqual(expect.arrayContaining([...acknowledged]))
  await until('equal trees', async () => {
    const members = await Promise.all([1, 2, 3].map(statusOf))
    return new Set(members.map(({ zxid, digest }) => `${zxid} ${digest}`)).size === 1
  })
}

async function written(count = 3): Promise<{ root: string; names: string[] }> {
  const writer = open()
  const root = await writer.create('/points-', { mode: 'persistentSequential' })
  const names: string[] = []
  for (; count > 0; count--) {
    const path = await writer.create(`${root}/n`, { mode: 'persistentSequential' })
    names.push(path.slice(root.length + 1))
  }
  return { root, names }
}

const storeOf = <T>(sid: number, act: (store: MemberStore, last: Zxid) => T): Promise<T> =>
  runInDurableObject(memberOf(sid), (_, { storage }) => {
    const store = new MemberStore(storage)
    const { batches, base } = store.restore(checkpointZxidOf(store))
    return act(store, batches.at(-1)?.last ?? base)
  })

/** What a leader that died alone would have in its log: a txn nobody else ever saw, that creates a node. */
const tailed = (sid: number, path: string, zxidAfter: (last: Zxid) => Zxid): Promise<void> =>
  storeOf(sid, (store, last) => {
    const zxid = zxidAfter(last)
    const writer = new BatchWriter()
    const header = { session: 0n, cxid: 0, zxid, time: Date.now() }
    const acl = [...worldAnyone]
    const create = { type: 'create', path, data: null, acl, ephemeral: false, parentCVersion: -1 }
    writer.add(zxid, (into) => writeTxn(into, { sid: 0, number: 0 }, header, create as TxnBody))
    const epoch = epochOf(zxid)
    const append = [writer.take() as LogBatch]
    store.write([{ number: 0, acceptedEpoch: epoch, append, currentEpoch: epoch }])
  })

/** It is out of service while the others go on in two newer epochs; what it has at the end is what `act` leaves it. */
async function leftBehind(sid: number, act: () => Promise<void>): Promise<void> {
  await memberOf(sid).stop()
  await until('it out of service', async () => (await statusOf(sid)).role === 'stopped')
  for (let times = 0; times < 2; times++) {
    const others = [1, 2, 3].filter((one) => one !== sid)
    const leader = await until('a leader without it', async () => {
      const seen = await Promise.all(others.map(statusOf))
      const led = seen.every(({ isServing }) => isServing)
      return led && seen.find(({ role }) => role === 'leader')
    })
    await crash(leader.sid)
    await until('a newer epoch', async () => {
      const seen = await Promise.all(others.map(statusOf))
      return seen.every(({ isServing, epoch }) => isServing && epoch > leader.epoch)
    })
  }
  await act()
  await crash(sid)
}

describe.each(moments)('Z07 a member that dies %s', (moment) => {
  const promises = (persist: Persist): boolean => persist.acceptedEpoch !== undefined
  const enters = (persist: Persist): boolean => persist.currentEpoch !== undefined

  test.each([
    ['its promise of a new epoch', promises],
    ['what makes the new epoch its own, behind a DIFF', enters],
  ])('as follower: %s', async (_, matches) => {
    const { root, names } = await written()
    const { leader, follower } = await formed()
    await dies({ sid: follower, matches, moment }, () => crash(leader))
    await nothingIsMissing(root, names)
  })

  test.each([
    ['its own promise', promises],
    ['what makes the new epoch its own', enters],
  ])('as the one that is to lead: %s', async (_, matches) => {
    const { root, names } = await written()
    const { leader } = await formed()
    // Nobody writes either before the one that leads does.
    await dies({ sid: undefined, matches, moment }, () => memberOf(leader).stop())
    await memberOf(leader).start()
    await nothingIsMissing(root, names)
  })

  test('in a TRUNC', async () => {
    const { root, names } = await written()
    const { follower } = await formed()
    await leftBehind(follower, () => tailed(follower, '/dropped', (last) => asZxid(last + 1)))
    const matches = (persist: Persist): boolean => persist.truncate !== undefined
    await dies({ sid: follower, matches, moment }, () => memberOf(follower).start())
    await nothingIsMissing(root, names)
  })

  test.each([
    ['Z18 the beginning of a snapshot', (persist: Persist) => persist.stageBegin !== undefined],
    ['Z18 a piece of a snapshot', (persist: Persist) => persist.stageChunk !== undefined],
    ['what installs a snapshot', (persist: Persist) => persist.install !== undefined],
  ])('in a SNAP: %s', async (_, matches) => {
    const { root, names } = await written()
    const { follower } = await formed()
    const alone = (last: Zxid): Zxid => zxidOf(asEpoch(epochOf(last) + 1), 1)
    await leftBehind(follower, () => tailed(follower, '/dropped', alone))
    await dies({ sid: follower, matches, moment }, () => memberOf(follower).start())
    await nothingIsMissing(root, names)
  })

  test.each(['leader', 'follower'] as const)('as %s: a proposal', async (whose) => {
    const { root, names } = await written()
    const sid = (await formed())[whose]
    const matches = (persist: Persist): boolean => persist.append !== undefined
    const writer = open()
    await writer.ready()
    await dies({ sid, matches, moment }, async () => {
      await writer.create(`${root}/more`).then(
        () => names.push('more'),
        () => undefined,
      )
    })
    await nothingIsMissing(root, names)
  })
})

test('Z06 what a leader that died had logged alone is kept everywhere, where its log is the newest', async () => {
  const { root, names } = await written()
  const { leader, follower } = await formed()
  await Promise.all([1, 2, 3].map((sid) => memberOf(sid).stop()))
  for (const sid of [1, 2, 3]) {
    await until('it out of service', async () => (await statusOf(sid)).role === 'stopped')
  }
  await tailed(leader, `${root}/kept`, (last) => asZxid(last + 1))
  await crash(leader)
  for (const sid of [leader, follower]) await memberOf(sid).start()
  await until('it to lead again', async () => (await statusOf(leader)).role === 'leader')
  for (const sid of [1, 2, 3]) await memberOf(sid).start()
  await nothingIsMissing(root, [...names, 'kept'])
})
