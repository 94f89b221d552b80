import { describe, expect, test } from 'vitest'
import { actorOf, crashActor, formed, open, rested, until } from './ensemble.ts'
import { Raw } from './raw.ts'

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)
const acl = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }]
const alive = async (raw: Raw): Promise<number> =>
  (await raw.ask('exists', { path: '/', watch: false })).err

describe('[S8] a session is resumed', () => {
  test('only with its password; a wrong one leaves the owner alone', async () => {
    await formed()
    const owner = await Raw.begin()
    const thief = await owner.resume('', { password: new Uint8Array(16).fill(7) })
    expect(thief.id).toBe(0n)
    expect([...thief.password]).toEqual([...new Uint8Array(16)])
    await thief.untilClosed()
    const short = await owner.resume('', { password: owner.password.slice(0, 15) })
    expect(short.id).toBe(0n)
    expect(owner.closed).toBe(undefined)
    expect(await alive(owner)).toBe(0)
  })

  test('by a second connection, which closes the first', async () => {
    const first = await Raw.begin()
    const second = await first.resume()
    expect(second.id).toBe(first.id)
    expect([...second.password]).toEqual([...first.password])
    await first.untilClosed()
    expect(await alive(second)).toBe(0)
  })

  test('through another member, with everything it wrote', async () => {
    const first = await Raw.begin('?member=1')
    await first.ask('create', { path: '/moves', data: bytes(1), acl, flags: 1 })
    const second = await first.resume('?member=2')
    expect(second.id).toBe(first.id)
    const { err, reply } = await second.ask('getData', { path: '/moves', watch: false })
    expect(err).toBe(0)
    expect(reply.stat.ephemeralOwner).toBe(first.id)
    expect((await second.ask('setData', { path: '/moves', data: bytes(2), version: 0 })).err).toBe(
      0,
    )
  })

  test('not at all under an id that never was', async () => {
    const owner = await Raw.begin('?member=1')
    const stranger = await Raw.begin(`?session=0x${(owner.id + 1000n).toString(16)}`, {
      id: owner.id + 1000n,
      password: owner.password,
    })
    expect(stranger.id).toBe(0n)
    await stranger.untilClosed()
  })

  test('not at a member that knows less than the client has seen', async () => {
    const owner = await Raw.begin()
    const ahead = await Raw.open(`?session=0x${owner.id.toString(16)}`)
    await expect(
      ahead.hello({ id: owner.id, password: owner.password, lastZxidSeen: 2 ** 52 }),
    ).rejects.toThrow('closed')
  })
})

test('[S9] the timeout granted lies between the shortest and the longest', async () => {
  await formed()
  const raw = await Raw.open()
  expect((await raw.hello({ timeoutMs: 1 })).timeOut).toBe(400)
  const other = await Raw.open()
  expect((await other.hello({ timeoutMs: 1_000_000 })).timeOut).toBe(20_000)
  const third = await Raw.open()
  expect((await third.hello({ timeoutMs: -5 })).timeOut).toBe(400)
})

/** Two sessions of one actor. */
async function neighbours(): Promise<readonly [Raw, Raw]> {
  const begun: Raw[] = []
  for (;;) {
    const next = await Raw.begin('?member=1')
    const found = begun.find(({ id }) => id >> 40n === next.id >> 40n)
    if (found !== undefined) return [found, next]
    begun.push(next)
  }
}

describe('[J1] bytes that are no frames close the connection they came on, and no other', () => {
  const whole = [0, 0, 0, 8, 0, 0, 0, 1, 0, 0, 0, 11]
  test.each([
    ['text', 'hello'],
    ['half a frame', bytes(0, 0, 0, 8, 0, 0)],
    ['half a length', bytes(0, 0)],
    ['a frame and a half', bytes(...whole, 0, 0, 0, 8, 1)],
    ['length 0', bytes(0, 0, 0, 0)],
    ['length −5', bytes(255, 255, 255, 251, 1)],
    ['length 2³¹−1', bytes(127, 255, 255, 255, 1)],
    ['2 MB', new Uint8Array(2_000_000).fill(1)],
    ['a frame of 1 byte', bytes(0, 0, 0, 1, 9)],
  ])('%s', async (_, garbage) => {
    const [bad, neighbour] = await neighbours()
    bad.send(garbage)
    await bad.untilClosed()
    expect(await alive(neighbour)).toBe(0)
    expect(neighbour.closed).toBe(undefined)
    // The session itself lives on, for a client that comes to its senses.
    const again = await bad.resume()
    expect(again.id).toBe(bad.id)
    for (const raw of [neighbour, again]) await raw.ask('closeSession', undefined)
  })

  test('instead of a handshake', async () => {
    const raw = await Raw.open()
    raw.send(bytes(0, 0, 0, 4, 1, 2, 3, 4))
    await raw.untilClosed()
  })

  test('[J2] a body that is none of its operation’s is answered −5, and the connection goes on', async () => {
    const raw = await Raw.begin()
    raw.send(bytes(0, 0, 0, 12, 0, 0, 0, 5, 0, 0, 0, 4, 0, 0, 0, 99))
    const frame = await raw.frame()
    expect(new DataView(frame.buffer, frame.byteOffset).getInt32(12)).toBe(-5)
    expect(await alive(raw)).toBe(0)
  })

  test('[J3] an operation that is none is answered −6, and the connection closes', async () => {
    const raw = await Raw.begin()
    raw.send(bytes(0, 0, 0, 8, 0, 0, 0, 5, 0, 0, 3, 231))
    const frame = await raw.frame()
    expect(new DataView(frame.buffer, frame.byteOffset).getInt32(12)).toBe(-6)
    await raw.untilClosed()
  })
})

test('[S10] a full actor sends new sessions to the next, and takes new ones when it has room again', async () => {
  await formed()
  const numberOf = (raw: Raw): number => Number((BigInt.asUintN(64, raw.id) >> 40n) & 0xffffn)
  const raws: Raw[] = []
  for (let count = 0; count < 9; count++) raws.push(await Raw.begin('?member=3'))
  const counts = new Map<number, number>()
  for (const raw of raws) counts.set(numberOf(raw), (counts.get(numberOf(raw)) ?? 0) + 1)
  expect(counts.size).toBeGreaterThanOrEqual(3)
  expect(Math.max(...counts.values())).toBeLessThanOrEqual(4)
  for (const raw of raws) expect(await alive(raw)).toBe(0)
  const [first] = raws
  await first?.ask('closeSession', undefined)
  await first?.untilClosed()
  const room = await actorOf(first?.id ?? 0n).admit()
  expect(room).toBe(true)
  for (const raw of raws.slice(1)) await raw.ask('closeSession', undefined)
})

describe('[W1] events reach nobody but the session that asked for them', () => {
  test('also when its actor died and another client came first', async () => {
    await formed()
    const writer = open({ member: 2 })
    await writer.create('/private')
    const earlier = await Raw.begin('?member=1')
    const owner = await Raw.begin('?member=1')
    await earlier.ask('closeSession', undefined)
    await owner.ask('getData', { path: '/private', watch: true })
    await rested(owner.id)
    await crashActor(owner.id)
    await owner.untilClosed()
    const other = await Raw.begin('?member=1')
    expect(other.id >> 40n).toBe(owner.id >> 40n)
    await writer.set('/private', 'secret')
    await until('the change to be seen', async () => {
      const { reply } = await other.ask('getData', { path: '/private', watch: false })
      return reply.stat.version === 1
    })
    expect(other.events()).toEqual([])
  })
})
