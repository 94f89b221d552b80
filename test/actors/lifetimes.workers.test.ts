import { describe, expect, test } from 'vitest'
import {
  crash,
  crashActor,
  formed,
  hibernate,
  memberOf,
  open,
  pause,
  statusOf,
  tickMs,
  until,
} from './ensemble.ts'
import { Raw } from './raw.ts'

const timeoutMs = 800
/** Expiry is rounded up to a tick, and its proposal needs a moment on a busy machine. */
const graceMs = 2 * tickMs + 600

const acl = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }]
const ephemeral = (raw: Raw, path: string) =>
  raw.ask('create', { path, data: new Uint8Array(0), acl, flags: 1 })

/** A session with two ephemerals below two parents, gone silent. */
async function silent(name: string, query = '', ms = timeoutMs) {
  const watcher = open()
  for (const parent of [`/${name}`, `/${name}/a`, `/${name}/b`]) await watcher.create(parent)
  const raw = await Raw.begin(query, { timeoutMs: ms })
  await ephemeral(raw, `/${name}/a/e`)
  await ephemeral(raw, `/${name}/b/e`)
  const silentMs = Date.now()
  const parents = async () =>
    Promise.all(['a', 'b'].map(async (one) => (await watcher.getChildren2(`/${name}/${one}`)).stat))
  const gone = async (): Promise<number> => {
    await until(
      'the ephemerals to vanish',
      async () => {
        await watcher.sync()
        return (await parents()).every(({ numChildren }) => numChildren === 0)
      },
      10_000,
    )
    return Date.now() - silentMs
  }
  return { raw, watcher, parents, gone }
}

describe('[S4] a silent session', () => {
  test('expires at its timeout, and its ephemerals vanish at one zxid', async () => {
    await formed()
    const { raw, parents, gone } = await silent('plain')
    const tookMs = await gone()
    expect(tookMs).toBeGreaterThan(timeoutMs - 50)
    expect(tookMs).toBeLessThan(timeoutMs + graceMs)
    const [a, b] = await parents()
    expect(a?.pzxid).toBe(b?.pzxid)
    await raw.untilClosed()
  })

  test('expires while nobody holds its connection', async () => {
    const { raw, gone } = await silent('cut')
    raw.close()
    expect(await gone()).toBeLessThan(timeoutMs + graceMs)
  })

  test('expires when its actor hibernated meanwhile', async () => {
    // It writes down what it must after a second or two of rest.
    const { raw, gone } = await silent('hibernated', '', 3000)
    await hibernate(raw.id)
    expect(await gone()).toBeLessThan(3000 + graceMs)
  })

  test('expires when its actor and its member died meanwhile, after its full timeout anew', async () => {
    const { leader } = await formed()
    const { raw, gone } = await silent('both', `?member=${leader}`)
    await crashActor(raw.id)
    await crash(leader)
    expect(await gone()).toBeLessThan(2 * (timeoutMs + graceMs))
    await formed()
  })
})

test('[S5] a session whose socket answers only text pings by itself does not expire', async () => {
  await formed()
  const raw = await Raw.begin('', { timeoutMs })
  await ephemeral(raw, '/pinging')
  const endMs = Date.now() + 2 * timeoutMs
  while (Date.now() < endMs) {
    raw.send('ping')
    await pause(timeoutMs / 4)
  }
  expect(raw.texts.length).toBeGreaterThan(4)
  expect(new Set(raw.texts)).toEqual(new Set(['pong']))
  const { err } = await raw.ask('exists', { path: '/pinging', watch: false })
  expect(err).toBe(0)
})

test('[S6] a closed session is gone at once, and a request behind it is not answered', async () => {
  const raw = await Raw.begin()
  await ephemeral(raw, '/closing')
  const { err } = await raw.ask('closeSession', undefined)
  expect(err).toBe(0)
  await raw.untilClosed()
  const after = await raw.resume()
  expect(after.id).toBe(0n)
  expect(await open().exists('/closing')).toBe(undefined)
})

test('[S7] members count a session until it is over', async () => {
  const { leader } = await formed()
  const before = (await memberOf(leader).status()).sessions
  const client = open({ member: leader })
  await client.ready()
  expect((await statusOf(leader)).sessions).toBe(before + 1)
  await client.close()
  await until('the session to end', async () => (await statusOf(leader)).sessions === before)
})
