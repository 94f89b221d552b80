/** What is on a member's disk is not what it wrote: it notices, says so, and is of use again without having lied. */
import { runInDurableObject } from 'cloudflare:test'
import { expect, test } from 'vitest'
import worker from '../../src/worker.ts'
import { placeSum, rowSum } from '../../src/core/tree/row-sum.ts'
import { znodeFromRow, znodeToRow } from '../../src/core/tree/znode.ts'
import { crash, env, formed, memberOf, open, statusOf, textOf, until } from './ensemble.ts'

const inStorage = <T>(sid: number, act: (storage: DurableObjectStorage) => T): Promise<T> =>
  runInDurableObject(memberOf(sid), (_, { storage }) => act(storage))

/** One bit of the newest log row is another. */
const damageLog = (sid: number): Promise<void> =>
  inStorage(sid, ({ kv }) => {
    const [key, bytes] = [...kv.list<Uint8Array>({ prefix: 'log/' })].at(-1) ?? []
    if (key === undefined || bytes === undefined) throw new Error('an empty log')
    const flipped = new Uint8Array(bytes).slice()
    flipped[flipped.length - 3] = (flipped[flipped.length - 3] as number) ^ 0x10
    kv.put(key, flipped)
  })

const sqlOf =
  (statement: string) =>
  (sid: number): Promise<void> =>
    inStorage(sid, ({ sql }) => void sql.exec(statement))

const hasRows = (sid: number, which: string, ...values: string[]): Promise<boolean> =>
  inStorage(
    sid,
    ({ sql }) => sql.exec(`select 1 from row where ${which}`, ...values).toArray().length > 0,
  )

const isWhole = (sid: number): Promise<unknown> =>
  until('a member that serves again', async () => {
    const { isServing, role } = await statusOf(sid)
    return isServing && (role === 'follower' || role === 'leader')
  })

const damages: [string, RegExp, (sid: number) => Promise<void>][] = [
  ['a bit of a log row', /log row .* wrong checksum/, damageLog],
  [
    'a log row lost',
    /the log lacks/,
    (sid) =>
      inStorage(sid, ({ kv }) => {
        const keys = [...kv.list({ prefix: 'log/' })].map(([key]) => key)
        kv.delete(keys[keys.length - 2] as string)
      }),
  ],
  ['the totals', /row 3 .* wrong checksum/, sqlOf("update row set value = x'00' where room = 3")],
  [
    'an epoch',
    /currentEpoch has the wrong checksum/,
    sqlOf("update fact set value = value + 1 where name = 'currentEpoch'"),
  ],
  ['a fact lost', /baseEpoch is missing/, sqlOf("delete from fact where name = 'baseEpoch'")],
  [
    'which tree is the present one',
    /generation has the wrong checksum/,
    sqlOf("update fact set value = value + 1 where name = 'generation'"),
  ],
]

test.each(damages)(
  '[D8] [Z6] %s is damaged: the member says so, and has everything anew from its leader',
  async (_, why, damage) => {
    const { leader, follower } = await formed()
    const writer = open({ member: leader })
    const path = await writer.create('/n-', { mode: 'persistentSequential', data: 'kept' })
    for (let at = 0; at < 3; at++) await writer.set(path, `kept ${at}`)
    await until('a checkpoint', () => hasRows(follower, 'room = 3'))
    await damage(follower)
    await crash(follower)
    await isWhole(follower)
    const { damage: note, digest, zxid } = await statusOf(follower)
    expect(note?.why).toMatch(why)
    expect(note?.count).toBeGreaterThan(0)
    const witness = await statusOf(leader)
    expect({ digest, zxid }).toEqual({ digest: witness.digest, zxid: witness.zxid })
    const reader = open({ member: follower })
    expect(textOf((await reader.get(path)).data)).toBe('kept 2')
    // It is whole again: nothing is found at the next start.
    await crash(follower)
    await isWhole(follower)
    expect((await statusOf(follower)).damage?.count).toBe(note?.count)
  },
)

test('[D8] a node’s row that is damaged is found when somebody reads it, and is not served', async () => {
  const { leader, follower } = await formed()
  const writer = open({ member: leader })
  const path = await writer.create('/row-', { mode: 'persistentSequential', data: 'as written' })
  const name = path.slice(1)
  await until('a checkpoint', () =>
    inStorage(
      follower,
      ({ sql }) => sql.exec('select 1 from row where name = ?', name).toArray()[0],
    ),
  )
  await inStorage(follower, ({ sql }) => {
    const [found] = sql.exec<{ value: ArrayBuffer }>('select value from row where name = ?', name)
    const value = new Uint8Array(found?.value ?? new ArrayBuffer(0))
    value[6] = (value[6] as number) ^ 1
    sql.exec('update row set value = ? where name = ?', value, name)
  })
  await crash(follower)
  await isWhole(follower)
  const before = (await statusOf(follower)).damage?.count ?? 0
  const reader = open({ member: follower })
  const read = await until('a read', () => reader.get(path).catch(() => undefined))
  expect(textOf(read.data)).toBe('as written')
  await isWhole(follower)
  const { damage } = await statusOf(follower)
  expect(damage?.count).toBe(before + 1)
  expect(damage?.why).toContain(`"${name}" has the wrong checksum`)
})

test('[D8] a leader that finds a damaged row gives it to nobody: another leads', async () => {
  const { leader, follower } = await formed()
  const writer = open({ member: follower })
  const path = await writer.create('/led-', { mode: 'persistentSequential', data: 'x' })
  const name = path.slice(1)
  await until('a checkpoint', () => hasRows(leader, 'name = ?', name))
  await inStorage(
    leader,
    ({ sql }) => void sql.exec('update row set sum = sum + 1 where name = ?', name),
  )
  // A member that lost its disk is given the whole tree, row by row.
  await damageLog(follower)
  await crash(follower)
  await isWhole(follower)
  await until('the old leader whole', () => isWhole(leader))
  const reader = open({ member: follower })
  expect(textOf((await until('a read', () => reader.get(path).catch(() => undefined))).data)).toBe(
    'x',
  )
})

const order = async (sid: number, what: string): Promise<Response> =>
  worker.fetch(
    new Request(`http://host/admin/members/${sid}/${what}`, {
      method: 'POST',
      headers: { authorization: 'Bearer t' },
    }),
    { ...env, ADMIN_TOKEN: 't' },
  )

test('[Z7] a member whose promise is damaged refuses until an operator has it rebuilt', async () => {
  const { follower } = await formed()
  expect((await order(follower, 'rebuild')).status).toBe(409)
  await sqlOf("update fact set sum = sum + 1 where name = 'acceptedEpoch'")(follower)
  await crash(follower)
  const refusing = await statusOf(follower)
  expect(refusing).toMatchObject({ role: 'refusing', isServing: false })
  expect(refusing.refusal).toContain('acceptedEpoch has the wrong checksum')
  expect((await order(follower, 'rebuild')).status).toBe(200)
  await isWhole(follower)
  expect((await statusOf(follower)).refusal).toBe(undefined)
})

test('[Z7] where most are damaged nobody serves, until an operator gives up what they had', async () => {
  const { leader, follower } = await formed()
  const third = [1, 2, 3].find((sid) => sid !== leader && sid !== follower) as number
  const writer = open({ member: leader })
  const path = await writer.create('/most-', { mode: 'persistentSequential', data: 'x' })
  for (const sid of [follower, third]) await damageLog(sid)
  await Promise.all([follower, third].map(crash))
  for (const sid of [follower, third]) {
    await until('recovering', async () => (await statusOf(sid)).role === 'recovering')
  }
  await until('no leader', async () => !(await statusOf(leader)).isServing)
  expect((await order(third, 'rebuild')).status).toBe(200)
  for (const sid of [leader, follower, third]) await isWhole(sid)
  const reader = open({ member: follower })
  expect(textOf((await until('a read', () => reader.get(path).catch(() => undefined))).data)).toBe(
    'x',
  )
})

test('[D9] a store of another format is refused, and says which', async () => {
  const { follower } = await formed()
  await inStorage(follower, ({ kv }) => kv.delete('format'))
  await crash(follower)
  expect((await statusOf(follower)).refusal).toContain('without a number, this version reads 2')
  await inStorage(follower, ({ kv }) => kv.put('format', 3))
  await crash(follower)
  expect(await statusOf(follower)).toMatchObject({ role: 'refusing', isServing: false })
  await inStorage(follower, ({ kv }) => kv.put('format', 1))
  await crash(follower)
  await isWhole(follower)
})

/** A row that says something else than it should, and is right by its checksums: as a fault of ours would leave it. */
const forge = (sid: number, name: string): Promise<void> =>
  inStorage(sid, ({ sql }) => {
    const [found] = sql.exec<{ value: ArrayBuffer }>(
      "select value from row where key = '/' and name = ?",
      name,
    )
    const node = znodeFromRow(new Uint8Array(found?.value ?? new ArrayBuffer(0)))
    const value = znodeToRow({ ...node, ctime: node.ctime + 1 })
    const place = placeSum({ room: 0, key: '/', name })
    sql.exec(
      "update row set value = ?, sum = ? where key = '/' and name = ?",
      value,
      rowSum(place, value),
      name,
    )
  })

test.each(['follower', 'leader'] as const)(
  '[Z8] a %s whose tree is not the others’ is found out, and has everything anew',
  async (whose) => {
    const { leader, follower } = await formed()
    const wrong = whose === 'leader' ? leader : follower
    const counts = (await statusOf(wrong)).damage?.count ?? 0
    const writer = open()
    const path = await writer.create('/forged-', { mode: 'persistentSequential', data: 'x' })
    const name = path.slice(1)
    await until('checkpoints', async () =>
      (await Promise.all([1, 2, 3].map((sid) => hasRows(sid, 'name = ?', name)))).every(Boolean),
    )
    await forge(wrong, name)
    if (whose === 'follower') await crash(wrong)
    else await Promise.all([1, 2, 3].map(crash))
    const now = await formed()
    if (whose === 'leader') expect(now.leader).toBe(leader)
    await until('a write', () => writer.set(path, 'y').catch(() => undefined))
    await until('the wrong one to know', async () => {
      const { damage } = await statusOf(wrong)
      return damage !== undefined && damage.count > counts
    })
    expect((await statusOf(wrong)).damage?.why).toContain('is not the one a quorum has')
    await formed()
    await writer.sync()
    await until('equal trees', async () => {
      const members = await Promise.all([1, 2, 3].map(statusOf))
      return new Set(members.map(({ zxid, digest }) => `${zxid} ${digest}`)).size === 1
    })
    if (whose === 'follower') expect((await statusOf(leader)).digestMismatches).toBeGreaterThan(0)
    else expect((await formed()).epoch).toBeGreaterThan(now.epoch)
  },
)
