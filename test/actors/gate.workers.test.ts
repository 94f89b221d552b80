/** What members that share a thread rest on (docs/decisions/0020): the runtime keeps back what an actor says until its writes are on disk. */
import { runInDurableObject } from 'cloudflare:test'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Member } from '../../src/actors/member.ts'
import { formed, memberOf, until } from './ensemble.ts'

const said = new Uint8Array([1])
let key = ''

beforeEach(() => {
  heard = 0
  vi.spyOn(Member.prototype, 'diskIs').mockImplementation(() => void (heard += 1))
})
afterEach(() => vi.restoreAllMocks())

/** It tells another member too, which the test takes note of. */
let heard = 0
function told(sid: number): void {
  memberOf((sid % 3) + 1)
    .diskIs(true)
    .catch(() => undefined)
}

/** From now on a member answers an exchange at once, having written what its disk may refuse at the end of the turn. */
async function answersWhenWritten(sid: number, isRefused: boolean): Promise<void> {
  await runInDurableObject(memberOf(sid), (_, { storage }) => {
    storage.sql.exec('create table if not exists parent (id integer primary key)')
    storage.sql.exec(
      'create table if not exists child (id integer references parent (id) deferrable initially deferred)',
    )
  })
  vi.spyOn(Member.prototype, 'exchange').mockImplementation(function (this: Member) {
    const { storage } = Reflect.get(this, 'ctx') as DurableObjectState
    storage.kv.put(key, said)
    if (isRefused) storage.sql.exec('insert into child values (1)')
    told(sid)
    return Promise.resolve(said)
  })
}

const isWritten = (sid: number): Promise<boolean> =>
  runInDurableObject(memberOf(sid), (_, { storage }) => storage.kv.get(key) !== undefined)

test.each([
  ['by name', async (sid: number) => await memberOf(sid).exchange('an actor', 1, said)],
  [
    'of what is held',
    async (sid: number) => {
      using held = await memberOf(sid).hold('an actor', 1)
      return await held.exchange(said)
    },
  ],
])('[D15] nothing is heard before what was written is on disk: a call %s', async (how, ask) => {
  key = `written/${how}`
  const { follower } = await formed()
  await answersWhenWritten(follower, true)
  await expect(ask(follower)).rejects.toThrow()
  expect(await isWritten(follower)).toBe(false)
  expect(heard).toBe(0)
  await answersWhenWritten(follower, false)
  expect(await ask(follower)).toEqual(said)
  expect(await isWritten(follower)).toBe(true)
  await until('what the other is told', () => heard > 0)
})
