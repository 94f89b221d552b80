import { describe, expect, test } from 'vitest'
import type { MemberStatus } from '../../src/actors/member-status.ts'
import worker from '../../src/worker.ts'
import { env, formed, open, statusOf, until } from './ensemble.ts'

const token = 'a token of this test'

const ask = async (
  path: string,
  init: RequestInit,
  withToken: string | undefined,
): Promise<Response> =>
  worker.fetch(new Request(`http://host${path}`, init), {
    ...env,
    ...(withToken !== undefined && { ADMIN_TOKEN: withToken }),
  })

const bearer = (given: string): RequestInit => ({ headers: { authorization: `Bearer ${given}` } })

describe('[A1] /admin', () => {
  const calls = [
    ['GET', '/admin/members'],
    ['POST', '/admin/members/1/restart'],
    ['GET', '/admin/nothing'],
  ] as const

  test.each(calls)(
    '%s %s is refused without the token, and with a wrong one',
    async (method, path) => {
      await formed()
      const { startedMs } = await statusOf(1)
      const without = await ask(path, { method }, token)
      expect(without.status).toBe(401)
      for (const wrong of ['', 'wrong', `${token}x`, token.toUpperCase(), token.slice(1)]) {
        const { status } = await ask(path, { method, ...bearer(wrong) }, token)
        expect(status).toBe(401)
      }
      const basic = { method, headers: { authorization: token } }
      expect((await ask(path, basic, token)).status).toBe(401)
      expect((await statusOf(1)).startedMs).toBe(startedMs)
    },
  )

  test.each(calls)('%s %s is closed to everybody where no token is set', async (method, path) => {
    for (const none of [undefined, '']) {
      expect((await ask(path, { method, ...bearer('') }, none)).status).toBe(403)
      expect((await ask(path, { method, ...bearer('undefined') }, none)).status).toBe(403)
    }
  })

  test('tells of every member, with the token', async () => {
    const { leader } = await formed()
    const response = await ask('/admin/members', bearer(token), token)
    expect(response.status).toBe(200)
    const { members } = (await response.json()) as { members: MemberStatus[] }
    expect(members.map(({ sid }) => sid)).toEqual([1, 2, 3])
    expect(members.find(({ role }) => role === 'leader')?.sid).toBe(leader)
  })

  test('restarts a member, which comes back', async () => {
    const { follower } = await formed()
    const { startedMs } = await statusOf(follower)
    const path = `/admin/members/${follower}/restart`
    const response = await ask(path, { method: 'POST', ...bearer(token) }, token)
    expect(response.status).toBe(200)
    await formed()
    expect((await statusOf(follower)).startedMs).toBeGreaterThan(startedMs)
  })

  test.each(['9', '0', 'x', '-1', '1.5'])('knows no member %s', async (sid) => {
    const path = `/admin/members/${sid}/restart`
    const { status } = await ask(path, { method: 'POST', ...bearer(token) }, token)
    expect(status).toBe(404)
  })
})

describe('[A2] /session', () => {
  test.each([
    ['', 426],
    ['?member=9', 400],
    ['?member=', 400],
    ['?session=1', 400],
    ['?session=0xg', 400],
    ['?session=0x11112222333344445', 400],
  ])('%s is answered %i', async (query, status) => {
    const headers = query === '' ? {} : { Upgrade: 'websocket' }
    expect((await ask(`/session${query}`, { headers }, undefined)).status).toBe(status)
  })
})

test('[Z5] with a stopped majority nothing is acknowledged; with it again everything goes on', async () => {
  const { leader } = await formed()
  const client = open({ member: leader })
  await client.create('/majority')
  const others = [1, 2, 3].filter((sid) => sid !== leader)
  const order = (sid: number, what: string): Promise<Response> =>
    ask(`/admin/members/${sid}/${what}`, { method: 'POST', ...bearer(token) }, token)
  for (const sid of others) expect((await order(sid, 'stop')).status).toBe(200)
  let granted = false
  const write = client.set('/majority', 'lost?').then(
    () => (granted = true),
    () => false,
  )
  await until('the leader to step down', async () => !(await statusOf(leader)).isServing)
  expect(granted).toBe(false)
  for (const sid of others) expect((await order(sid, 'start')).status).toBe(200)
  await formed()
  await write
  await until('a write', () => client.set('/majority', 'kept').catch(() => undefined))
})
