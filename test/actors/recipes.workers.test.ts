/** Client and recipes inside workerd: what they need of a platform is there too. */
import { expect, test } from 'vitest'
import { allow, permissions } from '../../src/client/index.ts'
import { cacheSubtree, Counter, Lock, Queue, Semaphore } from '../../src/recipes/index.ts'
import { crash, formed, open, textOf, until } from './ensemble.ts'

test('identities and ACLs', async () => {
  await formed()
  const client = open()
  await client.addAuth('digest', 'bob:pw')
  const acl = [await allow.digest('bob', 'pw'), allow.world(permissions.read)]
  const path = await client.create('/bobs-', { mode: 'persistentSequential', acl })
  await client.set(path, 'x')
  await expect(open().set(path, 'y')).rejects.toMatchObject({ code: 'NoAuth' })
})

test('a lock, a semaphore, a counter and a queue, between two clients', async () => {
  const [one, other] = [open(), open()]
  const root = await one.create('/recipes-', { mode: 'persistentSequential' })
  const hold = await new Lock(one, `${root}/lock`).acquire()
  const impatient = AbortSignal.timeout(300)
  await expect(new Lock(other, `${root}/lock`).acquire({ signal: impatient })).rejects.toThrow()
  await hold.release()
  const next = await new Lock(other, `${root}/lock`).acquire()
  expect(next.token).toBeGreaterThan(hold.token)
  const leases = await Promise.all(
    [one, other].map((client) => new Semaphore(client, `${root}/semaphore`, 2).acquire()),
  )
  await Promise.all(leases.map((lease) => lease.release()))
  const counters = [one, other].map((client) => new Counter(client, `${root}/counter`))
  const counts = await Promise.all(counters.map((counter) => counter.add()))
  expect(new Set(counts)).toEqual(new Set([1, 2]))
  const taking = new Queue(other, `${root}/queue`).take()
  await new Queue(one, `${root}/queue`).put('job')
  const item = await taking
  expect(textOf(item.data)).toBe('job')
  await item.done()
})

test('[S1] a session with a watch that stays is disconnected when its member is lost, and looks again', async () => {
  const { leader, follower } = await formed()
  const watcher = open({ member: follower })
  const writer = open({ member: leader })
  const root = await writer.create('/cached-', { mode: 'persistentSequential' })
  await watcher.sync()
  const cache = await cacheSubtree(watcher, root)
  const session = watcher.session?.id
  await crash(follower)
  await writer.create(`${root}/meanwhile`, { data: 'x' })
  await formed()
  await until('the copy', () => textOf(cache.get(`${root}/meanwhile`)?.data ?? null) === 'x')
  expect(watcher.session?.id).toBe(session)
})
