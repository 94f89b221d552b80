/** Who may do what, and how one says who one is. */
import { createHash } from 'node:crypto'
import { expect, it } from 'vitest'
import {
  buffer,
  encode,
  int,
  record,
  ustring,
  ustringOrNull,
  vector,
} from '../../../src/core/jute/codec.ts'
import type { Acl } from '../../../src/core/jute/records.ts'
import { worldAnyone } from '../../../src/core/tree/acl.ts'
import { opcodes, permissions } from '../../../src/core/wire/opcodes.ts'
import { errorCodes } from '../../../src/core/wire/refusals.ts'
import { request } from '../raw-client.ts'
import type { Session } from './session.ts'
import { onBothSides } from './sides.ts'

const { NoAuth, InvalidAcl, BadVersion, AuthFailed, MarshallingError } = errorCodes
const { read, write, create, delete: remove, admin, all } = permissions

const entry = (perms: number, scheme: string, id: string): Acl => ({ perms, id: { scheme, id } })
const world = (perms: number): readonly Acl[] => [entry(perms, 'world', 'anyone')]
const digestOf = (user: string, password: string): string =>
  `${user}:${createHash('sha1').update(`${user}:${password}`).digest('base64')}`
const node = (path: string, acl: readonly Acl[] = worldAnyone) => ({
  path,
  data: null,
  acl: [...acl],
  flags: 0,
})
const mayRead = (session: Session, path: string): Promise<number> =>
  session.err('getData', { path, watch: false })
const aclOf = async (session: Session, path: string): Promise<readonly Acl[]> =>
  (await session.get('getAcl', { path })).acl
const iAm = async (session: Session): Promise<readonly string[]> =>
  (await session.get('whoAmI', undefined)).clientInfo
    .map(({ authScheme, user }) => `${authScheme} ${user}`)
    .sort()

const NullableAcl = record({ perms: int, scheme: ustringOrNull, id: ustringOrNull })
const CreateWithNulls = record({
  path: ustring,
  data: buffer,
  acl: vector(NullableAcl),
  flags: int,
})
const AuthWithNull = record({ type: int, scheme: ustringOrNull, auth: buffer })

const superDigest = digestOf('super', 'secret')
const settings = {
  ours: { SUPER_DIGEST: superDigest },
  apache: { 'zookeeper.DigestAuthenticationProvider.superDigest': superDigest },
}

onBothSides(settings, (side) => {
  it('A01 every operation asks for its permission and for no other', async () => {
    const [session, root] = await side.begin()
    const asks: readonly (readonly [string, number, (path: string) => Promise<number>])[] = [
      ['getData', read, (path) => mayRead(session, path)],
      // Since 3.8.6; 3.8.0 tells anybody.
      ['exists', side.either(read, all), (path) => session.err('exists', { path, watch: false })],
      ['getChildren', read, (path) => session.err('getChildren', { path, watch: false })],
      ['getChildren2', read, (path) => session.err('getChildren2', { path, watch: false })],
      ['getAllChildrenNumber', read, (path) => session.err('getAllChildrenNumber', { path })],
      ['getAcl', read | admin, (path) => session.err('getAcl', { path })],
      ['setData', write, (path) => session.err('setData', { path, data: null, version: -1 })],
      ['create', create, (path) => session.err('create', node(`${path}/new`))],
      ['delete', remove, (path) => session.err('delete', { path: `${path}/old`, version: -1 })],
      ['check', read, async (path) => checked(await session.multi([check(path)]))],
      ['setAcl', admin, (path) => session.err('setAcl', { path, acl: [...world(0)], version: -1 })],
    ]
    for (const perm of [read, write, create, remove, admin]) {
      for (const [op, needed, ask] of asks) {
        const path = `${root}/${perm}-${op}`
        await session.create(path)
        await session.create(`${path}/old`)
        await session.get('setAcl', { path, acl: [...world(perm)], version: -1 })
        const expected = (needed & perm) === 0 ? NoAuth : 0
        expect([perm, op, await ask(path)]).toEqual([perm, op, expected])
      }
    }
  })

  it('A02 a deletion is a matter of the parent’s ACL, not of the node’s', async () => {
    const [session, root] = await side.begin()
    await session.create(`${root}/open`)
    await session.create(`${root}/open/closed`, { acl: world(0) })
    expect(await session.err('delete', { path: `${root}/open/closed`, version: -1 })).toBe(0)
    await session.create(`${root}/shut`)
    await session.create(`${root}/shut/free`)
    await session.get('setAcl', {
      path: `${root}/shut`,
      acl: [...world(all & ~remove)],
      version: -1,
    })
    expect(await session.err('delete', { path: `${root}/shut/free`, version: -1 })).toBe(NoAuth)
  })

  it('A03 a digest id is the base64 of the SHA-1 of user and password', async () => {
    const [session, root] = await side.begin()
    const id = 'bob:ikIaKsbtGweaHnb/jKn7OHqbunM='
    await session.create(`${root}/bobs`, { acl: [entry(all, 'digest', id)] })
    expect(await mayRead(session, `${root}/bobs`)).toBe(NoAuth)
    expect(await session.auth('digest', 'bob:wrong')).toBe(0)
    expect(await mayRead(session, `${root}/bobs`)).toBe(NoAuth)
    expect(await session.auth('digest', 'bob:pw')).toBe(0)
    expect(await mayRead(session, `${root}/bobs`)).toBe(0)
    expect(await aclOf(session, `${root}/bobs`)).toEqual([entry(all, 'digest', id)])
  })

  it('A04 the scheme auth stands for everybody one has said one is; nobody is refused', async () => {
    const [session, root] = await side.begin()
    const mine = [entry(all, 'auth', 'ignored')]
    expect(await session.err('create', node(`${root}/none`, mine))).toBe(InvalidAcl)
    await session.auth('digest', 'bob:pw')
    await session.auth('digest', 'al:pw')
    await session.create(`${root}/mine`, { acl: mine })
    const ids = (await aclOf(session, `${root}/mine`)).map(({ id }) => id.id)
    expect([...ids].sort()).toEqual([digestOf('al', 'pw'), digestOf('bob', 'pw')].sort())
  })

  it('A05 what is no ACL is refused, what stands twice stands once, no permission at all is one', async () => {
    const [session, root] = await side.begin()
    const refused: readonly (readonly Acl[])[] = [
      [],
      [entry(all, 'world', 'somebody')],
      [entry(all, 'nothing', 'x')],
      [entry(all, 'super', '')],
      [entry(all, 'digest', 'nocolon')],
      [entry(all, 'digest', 'a:b:c')],
      [entry(all, 'ip', 'localhost')],
      [entry(all, 'ip', '1.2.3')],
      [entry(all, 'ip', '10.0.0.0/33')],
      [entry(all, 'ip', '10.0.0.0/-1')],
      [...world(all), entry(all, 'nothing', 'x')],
    ]
    for (const acl of refused) {
      expect([acl, await session.err('create', node(`${root}/a`, acl))]).toEqual([acl, InvalidAcl])
      expect([
        acl,
        await session.err('setAcl', { path: root, acl: [...acl], version: -1 }),
      ]).toEqual([acl, InvalidAcl])
    }
    await session.create(`${root}/twice`, { acl: [...world(read | admin), ...world(read | admin)] })
    expect(await aclOf(session, `${root}/twice`)).toEqual(world(read | admin))
    expect(await session.err('create', node(`${root}/nobodys`, world(0)))).toBe(0)
    expect(await mayRead(session, `${root}/nobodys`)).toBe(NoAuth)
  })

  it('A04 A05 an id may be null where its scheme minds none, as kazoo writes an empty one', async () => {
    const [session, root] = await side.begin()
    const fates: readonly (readonly [string | null, string | null, number])[] = [
      ['auth', null, 0],
      ['auth', '', 0],
      [null, 'x', InvalidAcl],
      [null, null, InvalidAcl],
      ['nothing', null, InvalidAcl],
      ['world', null, MarshallingError],
      ['digest', null, MarshallingError],
      ['ip', null, MarshallingError],
    ]
    await session.auth('digest', 'bob:pw')
    for (const [at, [scheme, id, err]] of fates.entries()) {
      const body = {
        path: `${root}/${at}`,
        data: null,
        acl: [{ perms: all, scheme, id }],
        flags: 0,
      }
      session.client.send(request(77, opcodes.create.code, encode(CreateWithNulls, body)))
      expect([scheme, id, (await session.next())?.err]).toEqual([scheme, id, err])
    }
    const mine = [entry(all, 'digest', digestOf('bob', 'pw'))]
    expect(await aclOf(session, `${root}/0`)).toEqual(mine)
    const nobody = await side.open()
    nobody.client.send(
      request(77, opcodes.auth.code, encode(AuthWithNull, { type: 0, scheme: null, auth: null })),
    )
    expect((await nobody.next())?.err).toBe(AuthFailed)
    expect(await nobody.closed()).toBe(0)
  })

  it('A06 setACL checks and counts the version of the ACL, and moves nothing else', async () => {
    const [session, root] = await side.begin()
    const before = await session.get('exists', { path: root, watch: false })
    const set = (version: number) =>
      session.err('setAcl', { path: root, acl: [...world(all)], version })
    expect([await set(0), await set(0), await set(-1), await set(2)]).toEqual([0, BadVersion, 0, 0])
    const { stat } = await session.get('getAcl', { path: root })
    expect(stat).toEqual({ ...before.stat, aversion: 3 })
  })

  it('A07 getACL asks for READ or ADMIN, and hides digests from who has no ADMIN', async () => {
    const [session, root] = await side.begin()
    const bob = entry(all, 'digest', digestOf('bob', 'pw'))
    await session.create(`${root}/seen`, { acl: [bob, ...world(read)] })
    await session.create(`${root}/shut`, { acl: [bob, ...world(write)] })
    expect(await aclOf(session, `${root}/seen`)).toEqual([
      { ...bob, id: { scheme: 'digest', id: 'bob:x' } },
      ...world(read),
    ])
    expect(await session.err('getAcl', { path: `${root}/shut` })).toBe(NoAuth)
    await session.auth('digest', 'bob:pw')
    expect(await aclOf(session, `${root}/seen`)).toEqual([bob, ...world(read)])
  })

  it('A08 a client is known by its address, whole or by its first bits', async () => {
    const [session, root] = await side.begin()
    expect(await iAm(session)).toEqual(['ip 127.0.0.1'])
    const mine = ['127.0.0.1', '127.0.0.0/8', '127.0.0.1/32', '0.0.0.0/0', '126.0.0.0/7']
    const others = ['127.0.0.2', '10.0.0.0/8', '128.0.0.0/1', '127.0.0.2/32']
    for (const [ids, err] of [
      [mine, 0],
      [others, NoAuth],
    ] as const) {
      for (const id of ids) {
        const path = await session.create(`${root}/${id.replace('/', '-')}`, {
          acl: [entry(all, 'ip', id)],
        })
        expect([id, await mayRead(session, path)]).toEqual([id, err])
      }
    }
  })

  it('A09 addresses of IPv6 may stand in an ACL', async () => {
    const [session, root] = await side.begin()
    for (const [at, id] of ['::1', '2001:db8::/32', 'fe80::1/128', '::/0'].entries()) {
      // Since 3.9.5.
      expect([
        id,
        await session.err('create', node(`${root}/${at}`, [entry(all, 'ip', id)])),
      ]).toEqual([id, side.either(0, InvalidAcl)])
    }
    for (const id of ['2001:db8::/129', 'g::1', '1::2::3', ':::']) {
      expect([id, await session.err('create', node(`${root}/x`, [entry(all, 'ip', id)]))]).toEqual([
        id,
        InvalidAcl,
      ])
    }
  })

  it('A10 the super user may do everything', async () => {
    const [session, root] = await side.begin()
    const path = await session.create(`${root}/nobodys`, { acl: world(0) })
    const fallen = await side.open()
    expect(await fallen.auth('digest', 'super:wrong')).toBe(0)
    expect(await mayRead(fallen, path)).toBe(NoAuth)
    const mighty = await side.open()
    expect(await mighty.auth('digest', 'super:secret')).toBe(0)
    expect(await mayRead(mighty, path)).toBe(0)
    expect(await mighty.err('setData', { path, data: null, version: -1 })).toBe(0)
    expect(await mighty.err('create', node(`${path}/child`))).toBe(0)
    expect(await mighty.err('setAcl', { path, acl: [...world(read)], version: -1 })).toBe(0)
    expect(await mayRead(session, path)).toBe(0)
  })

  it.each(['nothing', 'world', 'super', ''])(
    'A11 the auth scheme “%s” is answered −115, and the connection is closed',
    async (scheme) => {
      const session = await side.open()
      expect(await session.auth(scheme, 'x')).toBe(AuthFailed)
      expect(await session.closed()).toBe(0)
    },
  )

  it('A12 one may be several, and whoAmI tells all of them', async () => {
    const session = await side.open()
    await session.auth('digest', 'bob:pw')
    await session.auth('digest', 'al:pw')
    await session.auth('digest', 'bob:pw')
    await session.auth('ip', '')
    expect(await iAm(session)).toEqual(['digest al', 'digest bob', 'ip 127.0.0.1'])
  })

  it('A13 who one is must be said again on every connection', async () => {
    const [first, root] = await side.begin()
    await first.auth('digest', 'bob:pw')
    const path = await first.create(`${root}/mine`, { acl: [entry(all, 'auth', '')] })
    first.drop()
    const second = await side.open({ sessionId: first.id, passwd: first.passwd })
    expect(await iAm(second)).toEqual(['ip 127.0.0.1'])
    expect(await mayRead(second, path)).toBe(NoAuth)
    await second.auth('digest', 'bob:pw')
    expect(await mayRead(second, path)).toBe(0)
  })

  it('A17 no node is ever without an ACL, which would be open to all', async () => {
    const [session, root] = await side.begin()
    const empty = { ...node(`${root}/a`), acl: [] }
    for (const op of ['create', 'create2', 'createContainer'] as const) {
      const flags = op === 'createContainer' ? 4 : 0
      expect([op, await session.err(op, { ...empty, flags })]).toEqual([op, InvalidAcl])
    }
    const { results } = await session.multi([{ operation: 'create', request: empty }])
    expect(results).toEqual([{ err: InvalidAcl }])
    expect(await session.err('setAcl', { path: root, acl: [], version: -1 })).toBe(InvalidAcl)
    expect(await aclOf(session, root)).toEqual(worldAnyone)
    for (const path of ['/', '/zookeeper', '/zookeeper/quota', '/zookeeper/config']) {
      expect((await aclOf(session, path)).length).toBeGreaterThan(0)
    }
  })
})

const check = (path: string) => ({ operation: 'check' as const, request: { path, version: -1 } })
const checked = ({ results }: { readonly results: readonly object[] }): number => {
  const [result] = results
  return result !== undefined && 'err' in result ? (result.err as number) : 0
}
