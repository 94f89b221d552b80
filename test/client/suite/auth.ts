import { expect, test } from 'vitest'
import {
  allow,
  type Client,
  openAcl,
  permissions,
  type State,
  step,
} from '../../../src/client/index.ts'
import { Fixture, refusal, type Target, textOf } from './fixture.ts'

export function auth(target: Target): void {
  const it = new Fixture(target)
  proving(it)
  entries(it)
  defaults(it)
  refusing(it)
}

const usersOf = async (client: Client) =>
  (await client.whoAmI()).filter(({ scheme }) => scheme === 'digest').map(({ user }) => user)

function proving(it: Fixture): void {
  test('whoAmI tells of every identity', async () => {
    expect(await usersOf(it.client)).toEqual([])
    await it.client.addAuth('digest', 'bob:secret')
    await it.client.addAuth('digest', new TextEncoder().encode('ann:secret'))
    await it.client.addAuth('digest', 'bob:secret')
    expect((await usersOf(it.client)).sort()).toEqual(['ann', 'bob'])
  })

  test('said before there is a session, it counts for what is asked after it', async () => {
    const acl = [await allow.digest('bob', 'secret')]
    const path = await it.client.create(`${it.root}/bobs`, { acl, data: 'x' })
    const client = it.open()
    const proved = client.addAuth('digest', 'bob:secret')
    expect(textOf((await client.get(path)).data)).toBe('x')
    await proved
  })

  test('it is said again on every link, before watches are armed', async () => {
    const { client, cut } = it.openCuttable()
    await client.addAuth('digest', 'bob:secret')
    const path = await client.create(`${it.root}/bobs`, { acl: [allow.auth()] })
    const events: string[] = []
    await client.get(path, { watch: ({ type }) => events.push(type) })
    await it.client.addAuth('digest', 'bob:secret')
    for (let times = 0; times < 2; times++) {
      cut()
      expect(await usersOf(client)).toEqual(['bob'])
      expect((await client.get(path)).stat.version).toBe(0)
    }
    await it.client.set(path, 'changed')
    await client.sync()
    await client.get(path)
    expect(events).toEqual(['dataChanged'])
  })

  test('said while there is no link, it is told when the next one has it', async () => {
    const { client, cut } = it.openCuttable()
    await client.ready()
    cut()
    await client.addAuth('digest', 'late:secret')
    expect(await usersOf(client)).toEqual(['late'])
  })
}

function entries(it: Fixture): void {
  test('a digest is ZooKeeper’s own', async () => {
    expect(await allow.digest('bob', 'pw', permissions.read)).toEqual({
      perms: 1,
      id: { scheme: 'digest', id: 'bob:ikIaKsbtGweaHnb/jKn7OHqbunM=' },
    })
  })

  test('only who proved it may do what it says', async () => {
    const acl = [await allow.digest('bob', 'pw'), allow.world(permissions.read)]
    const path = await it.client.create(`${it.root}/a`, { acl })
    expect((await it.client.get(path)).stat.version).toBe(0)
    expect(await refusal(it.client.set(path, 'x'))).toBe('NoAuth')
    await it.client.addAuth('digest', 'bob:wrong')
    expect(await refusal(it.client.set(path, 'x'))).toBe('NoAuth')
    await it.client.addAuth('digest', 'bob:pw')
    expect((await it.client.set(path, 'x')).version).toBe(1)
  })

  test('auth stands for all this client has proved, and for nothing before', async () => {
    const acl = [allow.auth(permissions.all)]
    expect(await refusal(it.client.create(`${it.root}/a`, { acl }))).toBe('InvalidAcl')
    await it.client.addAuth('digest', 'bob:pw')
    const path = await it.client.create(`${it.root}/a`, { acl })
    expect((await it.client.getAcl(path)).acl).toEqual([await allow.digest('bob', 'pw')])
    expect(await refusal(it.open().get(path))).toBe('NoAuth')
  })

  test('ip lets clients of a network in, and no others', async () => {
    const nowhere = await it.client.create(`${it.root}/nowhere`, { acl: [allow.ip('10.99.1.2')] })
    expect(await refusal(it.client.get(nowhere))).toBe('NoAuth')
    const here = (await it.client.whoAmI()).find(({ scheme }) => scheme === 'ip')
    if (here === undefined) return
    const acl = [allow.ip(`${here.user}/8`, permissions.read)]
    const near = await it.client.create(`${it.root}/near`, { acl })
    expect((await it.client.get(near)).stat.version).toBe(0)
    expect(await refusal(it.client.set(near, 'x'))).toBe('NoAuth')
  })
}

function defaults(it: Fixture): void {
  test('a client’s own ACL is that of every node it creates without one', async () => {
    const acl = [await allow.digest('bob', 'pw')]
    const client = it.open({ acl })
    await client.addAuth('digest', 'bob:pw')
    await client.create(`${it.root}/a`)
    await client.create2(`${it.root}/b`)
    await client.createContainer(`${it.root}/c`)
    await client.createTtl(`${it.root}/d`, 60_000)
    await client.multi([step.create(`${it.root}/e`), step.createTtl(`${it.root}/f`, 60_000)])
    const open = await client.create(`${it.root}/open`, { acl: openAcl })
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) {
      expect((await client.getAcl(`${it.root}/${name}`)).acl).toEqual(acl)
    }
    await it.client.sync()
    expect((await it.client.getAcl(open)).acl).toEqual(openAcl)
    expect(await refusal(it.client.get(`${it.root}/a`))).toBe('NoAuth')
  })
}

function refusing(it: Fixture): void {
  test('a scheme no server knows ends the client, and everybody is told why', async () => {
    const client = it.open()
    await client.ready()
    const states: State[] = []
    client.onState((state) => states.push(state))
    const events: string[] = []
    await client.exists(it.root, { watch: ({ type }) => events.push(type) })
    expect(await refusal(client.addAuth('tarot', 'the fool'))).toBe('AuthFailed')
    expect(client.state).toBe('authFailed')
    expect(await refusal(client.get(it.root))).toBe('AuthFailed')
    expect(await refusal(client.ready())).toBe('AuthFailed')
    expect(states).toEqual(['authFailed'])
    expect(events).toEqual(['sessionEnded'])
    await client.close()
  })
}
