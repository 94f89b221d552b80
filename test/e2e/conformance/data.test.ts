/** Nodes: what creates, reads, changes and deletes them answers, and in which order it is checked. */
import { describe, expect, it } from 'vitest'
import { decode } from '../../../src/core/jute/codec.ts'
import { type Acl, PathAndStatResponse } from '../../../src/core/jute/records.ts'
import { worldAnyone } from '../../../src/core/tree/acl.ts'
import { createFlags, permissions } from '../../../src/core/wire/opcodes.ts'
import { errorCodes } from '../../../src/core/wire/refusals.ts'
import { until } from '../../support/until.ts'
import type { Session } from './session.ts'
import { onBothSides } from './sides.ts'

const { persistentSequential, ephemeral, ephemeralSequential } = createFlags
const { NoNode, NodeExists, BadArguments, InvalidAcl, NoAuth, BadVersion, NotEmpty } = errorCodes

const acl = (perms: number): readonly Acl[] => [{ perms, id: { scheme: 'world', id: 'anyone' } }]
const without = (perm: keyof typeof permissions): readonly Acl[] => acl(31 & ~permissions[perm])

const node = (path: string, flags = 0, aclOf = worldAnyone) => ({
  path,
  data: null,
  acl: [...aclOf],
  flags,
})
const statOf = async (session: Session, path: string) =>
  (await session.get('exists', { path, watch: false })).stat
const text = (words: string): Uint8Array => new TextEncoder().encode(words)

onBothSides({}, (side) => {
  it('D01 a new node’s Stat has its zxid and time, every version 0, and its owner', async () => {
    const [session, root] = await side.begin()
    const before = Date.now() - 1000
    const path = `${root}/a`
    const reply = await session.ask('create2', { ...node(path), data: text('xyz') })
    const { stat } = decode(PathAndStatResponse, reply.body)
    expect(stat).toEqual({
      czxid: reply.zxid,
      mzxid: reply.zxid,
      pzxid: reply.zxid,
      ctime: stat.mtime,
      mtime: stat.ctime,
      version: 0,
      cversion: 0,
      aversion: 0,
      ephemeralOwner: 0n,
      dataLength: 3,
      numChildren: 0,
    })
    expect(stat.ctime).toBeGreaterThan(before)
    expect(stat.ctime).toBeLessThan(Date.now() + 1000)
    expect(await statOf(session, path)).toEqual(stat)
    await session.create(`${root}/e`, { flags: ephemeral })
    expect((await statOf(session, `${root}/e`)).ephemeralOwner).toBe(session.id)
  })

  it('D02 a create is refused for its parent, its name, its path, its ACL or its flag', async () => {
    const [session, root] = await side.begin()
    expect(await session.err('create', node(`${root}/none/a`))).toBe(NoNode)
    expect(await session.err('create', node(root))).toBe(NodeExists)
    expect(await session.err('create', node(`${root}/`))).toBe(BadArguments)
    expect(await session.err('create', node(`${root}/a`, 0, []))).toBe(InvalidAcl)
    for (const flags of [7, -1, 99]) {
      expect(await session.err('create', node(`${root}/a`, flags))).toBe(BadArguments)
    }
  })

  it('D03 of several faults of one write the first in ZooKeeper’s order answers', async () => {
    const [session, root] = await side.begin()
    await session.create(`${root}/closed`, { acl: without('create') })
    await session.create(`${root}/e`, { flags: ephemeral })
    await session.create(`${root}/full`)
    await session.create(`${root}/full/child`)
    await session.create(`${root}/keep`)
    await session.create(`${root}/keep/child`)
    await session.get('setAcl', { path: `${root}/keep`, acl: [...without('delete')], version: -1 })
    await session.create(`${root}/still`, { acl: without('write') })
    await session.create(`${root}/ours`, { acl: without('admin') })
    const creates: readonly (readonly [string, number, readonly Acl[], number])[] = [
      ['', 7, worldAnyone, BadArguments],
      [`${root}/x`, 99, [], BadArguments],
      [`${root}/none/x`, 99, worldAnyone, BadArguments],
      ['x', 0, [], BadArguments],
      [`${root}/none/x`, 0, [], InvalidAcl],
      [`${root}/`, 0, [], InvalidAcl],
      [`${root}/none/.`, 0, worldAnyone, NoNode],
      [`${root}/closed/`, 0, worldAnyone, NoAuth],
      [`${root}/closed/x`, 0, worldAnyone, NoAuth],
      [`${root}/e/..`, 0, worldAnyone, BadArguments],
      [`${root}/e/x`, 0, worldAnyone, errorCodes.NoChildrenForEphemerals],
      ['/', 0, worldAnyone, NodeExists],
    ]
    for (const [path, flags, aclOf, err] of creates) {
      expect([path, await session.err('create', node(path, flags, aclOf))]).toEqual([path, err])
    }
    const deletes: readonly (readonly [string, number, number])[] = [
      [`${root}/none/x`, 99, NoNode],
      [`${root}/keep/none`, 99, NoAuth],
      [`${root}/keep/child`, 99, NoAuth],
      [`${root}/none`, 99, NoNode],
      [`${root}/full`, 99, BadVersion],
      [`${root}/full`, 0, NotEmpty],
    ]
    for (const [path, version, err] of deletes) {
      expect([path, await session.err('delete', { path, version })]).toEqual([path, err])
    }
    const sets: readonly (readonly [string, number])[] = [
      [`${root}/`, BadArguments],
      [`${root}/none`, NoNode],
      [`${root}/still`, NoAuth],
      [root, BadVersion],
    ]
    for (const [path, err] of sets) {
      expect([path, await session.err('setData', { path, data: null, version: 99 })]).toEqual([
        path,
        err,
      ])
    }
    const setAcls: readonly (readonly [string, readonly Acl[], number])[] = [
      [`${root}/`, [], BadArguments],
      [`${root}/none`, [], InvalidAcl],
      [`${root}/none`, worldAnyone, NoNode],
      [`${root}/ours`, worldAnyone, NoAuth],
      [root, worldAnyone, BadVersion],
    ]
    for (const [path, aclOf, err] of setAcls) {
      const fate = await session.err('setAcl', { path, acl: [...aclOf], version: 99 })
      expect([path, fate]).toEqual([path, err])
    }
  })

  it('D04 an ephemeral has no children', async () => {
    const [session, root] = await side.begin()
    await session.create(`${root}/e`, { flags: ephemeral })
    expect(await session.err('create', node(`${root}/e/child`))).toBe(
      errorCodes.NoChildrenForEphemerals,
    )
  })

  it('D05 forty paths are taken or refused', async () => {
    const [session, root] = await side.begin()
    await session.create(`${root}/a`)
    const taken = [
      '/...',
      '/.a',
      '/a.',
      '/a..b',
      '/ ',
      '/a b',
      '/\u00a0',
      '/\uf900',
      '/\uffef',
      '/%2F',
      '/ünïcödé',
      '/日本',
      '/~',
      '/-',
      '/:',
      '/*',
      '/"',
      '/\\',
      '/a/...',
    ]
    const refused = [
      '/',
      '/.',
      '/..',
      '/a/',
      '/a/.',
      '/a/..',
      '/\0',
      '/x\0y',
      '/\u0001',
      '/a\u001fb',
      '/\u007f',
      '/\u0080',
      '/\u009f',
      '/\ue000',
      '/\uf8ff',
      '/\ufff0',
      '/\ufffd',
      '/\uffff',
      '/\u{1f600}',
    ]
    const parentless = ['//a', '/a//b', '/a/./b', '/a/../b', '/none/.']
    for (const [paths, err] of [
      [taken, 0],
      [refused, BadArguments],
      [parentless, NoNode],
    ] as const) {
      for (const path of paths) {
        const fate = await session.err('create', node(root + path))
        expect([JSON.stringify(path), fate]).toEqual([JSON.stringify(path), err])
      }
    }
    for (const path of ['', 'a', '//', '/.']) {
      expect([path, await session.err('create', node(path))]).toEqual([path, BadArguments])
    }
    const { children } = await session.get('getChildren', { path: root, watch: false })
    expect([...children].sort()).toEqual(
      [...new Set(taken.map((path) => path.split('/')[1] ?? '')), 'a'].filter(unique).sort(),
    )
  })

  it('D06 D07 the sequence suffix counts every create below the parent, whatever its prefix, and no delete', async () => {
    const [session, root] = await side.begin()
    for (const name of ['x', 'y', 'z']) await session.create(`${root}/${name}`)
    await session.delete(`${root}/z`)
    const next = (prefix: string, flags: number): Promise<string> =>
      session.create(root + prefix, { flags })
    expect(await next('/a-', persistentSequential)).toBe(`${root}/a-0000000003`)
    expect(await next('/b-', ephemeralSequential)).toBe(`${root}/b-0000000004`)
    expect(await next('/a-', persistentSequential)).toBe(`${root}/a-0000000005`)
  })

  it('D08 a sequential create with a slash at its end is named by its number alone', async () => {
    const [session, root] = await side.begin()
    for (let at = 0; at < 5; at++) await session.create(`${root}/${at}`)
    expect(await session.create(`${root}/`, { flags: persistentSequential })).toBe(
      `${root}/0000000005`,
    )
  })

  it('D10 a parent’s cversion is twice its creates less its children', async () => {
    const [session, root] = await side.begin()
    for (let at = 0; at < 6; at++) await session.create(`${root}/${at}`)
    await session.delete(`${root}/0`)
    expect(await statOf(session, root)).toMatchObject({ cversion: 7, numChildren: 5 })
  })

  it('D11 pzxid moves when a child comes or goes, and not when its data change', async () => {
    const [session, root] = await side.begin()
    const path = `${root}/child`
    const created = await session.ask('create', node(path))
    expect((await statOf(session, root)).pzxid).toBe(created.zxid)
    await session.set(path, 'x')
    expect((await statOf(session, root)).pzxid).toBe(created.zxid)
    const deleted = await session.ask('delete', { path, version: -1 })
    expect((await statOf(session, root)).pzxid).toBe(deleted.zxid)
  })

  it('D12 setData checks the version and counts it up', async () => {
    const [session, root] = await side.begin()
    const set = (version: number) => session.err('setData', { path: root, data: null, version })
    expect([await set(-1), await set(1), await set(1), await set(-2)]).toEqual([
      0,
      0,
      BadVersion,
      BadVersion,
    ])
    expect((await statOf(session, root)).version).toBe(2)
    expect(await session.err('setData', { path: `${root}/none`, data: null, version: 0 })).toBe(
      NoNode,
    )
  })

  it('D13 delete checks existence, version and children, in this order', async () => {
    const [session, root] = await side.begin()
    await session.create(`${root}/full`)
    await session.create(`${root}/full/child`)
    expect(await session.err('delete', { path: `${root}/none`, version: 0 })).toBe(NoNode)
    expect(await session.err('delete', { path: `${root}/full`, version: 7 })).toBe(BadVersion)
    expect(await session.err('delete', { path: `${root}/full`, version: 0 })).toBe(NotEmpty)
    expect(await session.err('delete', { path: `${root}/full/child`, version: 0 })).toBe(0)
    expect(await session.err('delete', { path: `${root}/full`, version: 0 })).toBe(0)
  })

  it('D14 ZooKeeper’s own nodes are not deleted; the root has data like others', async () => {
    const session = await side.open()
    for (const path of ['/', '/zookeeper', '/zookeeper/quota', '/zookeeper/config']) {
      expect([path, await session.err('delete', { path, version: -1 })]).toEqual([
        path,
        BadArguments,
      ])
    }
    await session.set('/', 'of the root')
    expect((await session.get('getData', { path: '/', watch: false })).data).toEqual(
      text('of the root'),
    )
    await session.set('/')
  })

  it('D15 exists answers the Stat, −101 for no node, and asks for READ', async () => {
    const [session, root] = await side.begin()
    await session.create(`${root}/closed`, { acl: without('read') })
    expect(await session.err('exists', { path: root, watch: false })).toBe(0)
    expect(await session.err('exists', { path: `${root}/none`, watch: false })).toBe(NoNode)
    // Since 3.8.6; 3.8.0 tells anybody.
    expect(await session.err('exists', { path: `${root}/closed`, watch: false })).toBe(
      side.either(NoAuth, 0),
    )
  })

  it('D16 getChildren2 is getChildren and a Stat of 68 bytes behind it', async () => {
    const [session, root] = await side.begin()
    for (const name of ['a', 'b', 'c']) await session.create(`${root}/${name}`)
    const names = await session.ask('getChildren', { path: root, watch: false })
    const both = await session.ask('getChildren2', { path: root, watch: false })
    expect(both.body.length).toBe(names.body.length + 68)
    expect(both.body.subarray(0, names.body.length)).toEqual(names.body)
    expect((await session.get('getChildren2', { path: root, watch: false })).stat).toEqual(
      await statOf(session, root),
    )
  })

  it('D17 getAllChildrenNumber counts every descendant', async () => {
    const [session, root] = await side.begin()
    for (const path of ['/a', '/a/b', '/a/b/c', '/d']) await session.create(root + path)
    expect(await session.get('getAllChildrenNumber', { path: root })).toEqual({ totalNumber: 4 })
    expect(await session.err('getAllChildrenNumber', { path: `${root}/none` })).toBe(NoNode)
  })

  it('D18 getEphemerals tells the session’s own below a prefix', async () => {
    const [session, root] = await side.begin()
    const other = await side.open()
    for (const name of ['ab', 'ac', 'b'])
      await session.create(`${root}/${name}`, { flags: ephemeral })
    await other.create(`${root}/ad`, { flags: ephemeral })
    const below = async (prefixPath: string): Promise<readonly string[]> =>
      [...(await session.get('getEphemerals', { prefixPath })).ephemerals].sort()
    expect(await below('/')).toEqual([`${root}/ab`, `${root}/ac`, `${root}/b`])
    expect(await below(`${root}/a`)).toEqual([`${root}/ab`, `${root}/ac`])
    expect(await below(`${root}/x`)).toEqual([])
  })

  it('D19 reads do not look whether a path is one, and the empty path is the root', async () => {
    const [session, root] = await side.begin()
    expect(await session.err('getData', { path: '', watch: false })).toBe(0)
    for (const path of ['x', '//', `${root}/`, '/.', '/\0']) {
      expect([path, await session.err('getData', { path, watch: false })]).toEqual([path, NoNode])
      expect([path, await session.err('getChildren', { path, watch: false })]).toEqual([
        path,
        NoNode,
      ])
    }
  })

  it('D20 create2 answers path and Stat', async () => {
    const [session, root] = await side.begin()
    const { path, stat } = await session.get('create2', node(`${root}/s-`, persistentSequential))
    expect(path).toBe(`${root}/s-0000000000`)
    expect(stat).toEqual(await statOf(session, path))
  })

  it('D29 a node of a megabyte is read as it was written', async () => {
    const [session, root] = await side.begin()
    const data = Uint8Array.from({ length: 1_040_000 }, (_, at) => (at * 7) & 0xff)
    await session.create(`${root}/big`, { data })
    const reader = await side.open({}, 1)
    await reader.get('sync', { path: root })
    expect((await reader.get('getData', { path: `${root}/big`, watch: false })).data).toEqual(data)
  })

  it('D30 a node has fifty thousand children', async () => {
    const [session, root] = await side.begin()
    const count = 50_000
    for (let from = 0; from < count; from += 1000) {
      session.sendMulti(
        Array.from({ length: 1000 }, (_, at) => ({
          operation: 'create' as const,
          request: node(`${root}/n${String(from + at).padStart(9, '0')}`),
        })),
      )
    }
    for (let from = 0; from < count; from += 1000)
      expect(await session.next()).toMatchObject({ err: 0 })
    const { children, stat } = await session.get('getChildren2', { path: root, watch: false })
    expect(new Set(children).size).toBe(count)
    expect(stat).toMatchObject({ numChildren: count, cversion: count })
  }, 120_000)

  describe.skipIf(!side.isOurs)('with members of our own', () => {
    it('D28 a node’s Stat is the same at every member, its times too', async () => {
      const [session, root] = await side.begin()
      await session.set(root, 'changed')
      await session.create(`${root}/child`)
      const stats = await Promise.all(
        [0, 1, 2].map(async (member) => {
          const reader = await side.open({}, member)
          await reader.get('sync', { path: root })
          return (await reader.ask('exists', { path: root, watch: false })).body
        }),
      )
      expect(stats[1]).toEqual(stats[0])
      expect(stats[2]).toEqual(stats[0])
    })

    it('D07 D29 the counter of names and a megabyte of data outlive every member', async () => {
      const [session, root] = await side.begin()
      for (const prefix of ['a-', 'b-', 'a-']) {
        await session.create(`${root}/${prefix}`, { flags: persistentSequential })
      }
      const data = new Uint8Array(1_040_000).fill(0x61)
      await session.create(`${root}/big`, { data })
      await session.close()
      for (const sid of [1, 2, 3]) {
        await side.ensemble.restartMember(sid)
        await side.ensemble.formed()
      }
      // A connection that comes in the midst of an election is let go, as in ZooKeeper.
      const later = await until('a member that serves', () => side.open())
      expect(await later.create(`${root}/b-`, { flags: persistentSequential })).toBe(
        `${root}/b-0000000004`,
      )
      expect((await later.get('getData', { path: `${root}/big`, watch: false })).data).toEqual(data)
    })
  })
})

const unique = (name: string, at: number, all: readonly string[]): boolean =>
  all.indexOf(name) === at
