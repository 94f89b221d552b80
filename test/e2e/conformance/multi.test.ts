/** Transactions: all or nothing, and what is answered of each operation. */
import { expect, it } from 'vitest'
import { encode, Writer } from '../../../src/core/jute/codec.ts'
import { worldAnyone } from '../../../src/core/tree/acl.ts'
import {
  type MultiOperation,
  type MultiResult,
  writeMultiRequest,
} from '../../../src/core/wire/multi.ts'
import { createFlags, eventTypes, opcodes, permissions } from '../../../src/core/wire/opcodes.ts'
import { errorCodes } from '../../../src/core/wire/refusals.ts'
import { request } from '../raw-client.ts'
import { onBothSides } from './sides.ts'

const { NoNode, NodeExists, BadVersion, NoAuth, MarshallingError, RuntimeInconsistency } =
  errorCodes

const create = (path: string, flags = 0): MultiOperation => ({
  operation: 'create',
  request: { path, data: null, acl: worldAnyone, flags },
})
const set = (path: string, data = ''): MultiOperation => ({
  operation: 'setData',
  request: { path, data: new TextEncoder().encode(data), version: -1 },
})
const remove = (path: string): MultiOperation => ({
  operation: 'delete',
  request: { path, version: -1 },
})
const check = (path: string, version: number): MultiOperation => ({
  operation: 'check',
  request: { path, version },
})
const errs = (results: readonly MultiResult[]): readonly (number | 'granted')[] =>
  results.map((result) => ('err' in result ? result.err : 'granted'))

const apache = { 'zookeeper.extendedTypesEnabled': 'true' }

onBothSides({ apache }, (side) => {
  it('X01 X02 a refused operation undoes all: 0 before it, its code, −2 behind it, under a header without error', async () => {
    const [session, root] = await side.begin()
    const operations = [create(`${root}/a`), check(root, 99), create(`${root}/b`), set(root)]
    const { err, results } = await session.multi(operations)
    expect(err).toBe(0)
    expect(errs(results)).toEqual([0, BadVersion, RuntimeInconsistency, RuntimeInconsistency])
    for (const name of ['a', 'b']) {
      expect(await session.err('exists', { path: `${root}/${name}`, watch: false })).toBe(NoNode)
    }
    const { stat } = await session.get('exists', { path: root, watch: false })
    expect(stat).toMatchObject({ version: 0, cversion: 0, numChildren: 0 })
  })

  it('X03 every kind of operation answers in its own form', async () => {
    const [session, root] = await side.begin()
    await session.create(`${root}/old`)
    const { err, results } = await session.multi([
      create(`${root}/a`),
      { ...create(`${root}/b`), operation: 'create2' },
      set(root, 'data'),
      check(root, 1),
      remove(`${root}/old`),
      { ...create(`${root}/c`, createFlags.container), operation: 'createContainer' },
      {
        operation: 'createTtl',
        request: {
          ...(create(`${root}/t`, createFlags.persistentWithTtl).request as object),
          ttl: 600_000,
        },
      },
    ])
    expect(err).toBe(0)
    expect(results).toMatchObject([
      { operation: 'create', reply: { path: `${root}/a` } },
      { operation: 'create', reply: { path: `${root}/b` } },
      { operation: 'setData', reply: { stat: { version: 1, dataLength: 4, numChildren: 3 } } },
      { operation: 'check', reply: undefined },
      { operation: 'delete', reply: undefined },
      { operation: 'create2', reply: { path: `${root}/c`, stat: { numChildren: 0 } } },
      { operation: 'create2', reply: { path: `${root}/t`, stat: { numChildren: 0 } } },
    ])
  })

  it('X04 later operations see what earlier ones did', async () => {
    const [session, root] = await side.begin()
    const { persistentSequential } = createFlags
    const { results } = await session.multi([
      create(`${root}/p`),
      create(`${root}/p/child`),
      create(`${root}/p/s-`, persistentSequential),
      create(`${root}/p/s-`, persistentSequential),
      set(`${root}/p`),
      check(`${root}/p`, 1),
      remove(`${root}/p/child`),
    ])
    expect(results.slice(2, 4)).toMatchObject([
      { reply: { path: `${root}/p/s-0000000001` } },
      { reply: { path: `${root}/p/s-0000000002` } },
    ])
    expect(errs(results)).not.toContain(0)
    const { children } = await session.get('getChildren', { path: `${root}/p`, watch: false })
    expect([...children].sort()).toEqual(['s-0000000001', 's-0000000002'])
  })

  it('X05 everything has one zxid and one time', async () => {
    const [session, root] = await side.begin()
    const { zxid } = await session.multi([create(`${root}/a`), create(`${root}/b`), set(root)])
    const stats = await Promise.all(
      ['/a', '/b', ''].map(async (name) => {
        return (await session.get('exists', { path: root + name, watch: false })).stat
      }),
    )
    expect(stats.map(({ mzxid }) => mzxid)).toEqual([zxid, zxid, zxid])
    expect(new Set(stats.map(({ mtime }) => mtime)).size).toBe(1)
  })

  it('X06 a multi of nothing answers nothing', async () => {
    const session = await side.open()
    expect(await session.multi([])).toMatchObject({ err: 0, results: [] })
  })

  it('X07 a multi of what no multi holds is answered −5 as a whole', async () => {
    const [session, root] = await side.begin()
    const setAcl: MultiOperation = {
      operation: 'setAcl',
      request: { path: root, acl: worldAnyone, version: -1 },
    }
    const read: MultiOperation = { operation: 'getData', request: { path: root, watch: false } }
    for (const odd of [setAcl, read]) {
      expect((await session.multi([create(`${root}/a`), odd])).err).toBe(MarshallingError)
    }
    expect((await session.multi([read, create(`${root}/a`)])).err).toBe(MarshallingError)
    expect(await session.err('exists', { path: `${root}/a`, watch: false })).toBe(NoNode)
  })

  it('X08 the ACL is asked for every operation', async () => {
    const [session, root] = await side.begin()
    const acl = [{ perms: permissions.read, id: { scheme: 'world', id: 'anyone' } }]
    await session.create(`${root}/closed`, { acl })
    const { err, results } = await session.multi([
      create(`${root}/a`),
      set(`${root}/closed`),
      create(`${root}/b`),
    ])
    expect([err, errs(results)]).toEqual([0, [0, NoAuth, RuntimeInconsistency]])
    expect(await session.err('exists', { path: `${root}/a`, watch: false })).toBe(NoNode)
  })

  it('X09 a refused multi leaves no trace for what stands right behind it', async () => {
    const [session, root] = await side.begin()
    await session.create(`${root}/kept`)
    const behind = { path: `${root}/a`, data: null, acl: [...worldAnyone], flags: 0 }
    for (let round = 0; round < 50; round++) {
      session.sendMulti([create(`${root}/a`), remove(`${root}/kept`), check(root, 99)])
      session.send('create', behind)
      session.send('setData', { path: `${root}/kept`, data: null, version: round })
      session.send('delete', { path: `${root}/a`, version: 0 })
    }
    for (let round = 0; round < 200; round++) expect(await session.next()).toMatchObject({ err: 0 })
    const { stat } = await session.get('exists', { path: root, watch: false })
    expect(stat).toMatchObject({ cversion: 101, numChildren: 1 })
  })

  it('X10 a multiRead answers each read for itself', async () => {
    const [session, root] = await side.begin()
    await session.create(`${root}/a`, { data: 'data' })
    const { err, results } = await session.multi(
      [
        { operation: 'getData', request: { path: `${root}/a`, watch: false } },
        { operation: 'getData', request: { path: `${root}/none`, watch: false } },
        { operation: 'getChildren', request: { path: root, watch: false } },
      ],
      'multiRead',
    )
    expect(err).toBe(0)
    expect(results).toMatchObject([
      { operation: 'getData', reply: { data: new TextEncoder().encode('data') } },
      { err: NoNode },
      { operation: 'getChildren', reply: { children: ['a'] } },
    ])
  })

  it('X11 each operation’s event comes, in their order and before the reply', async () => {
    const [session, root] = await side.begin()
    await session.get('addWatch', { path: root, mode: 1 })
    await session.multi([
      create(`${root}/a`),
      create(`${root}/a/b`),
      set(root),
      remove(`${root}/a/b`),
      set(`${root}/a`),
    ])
    expect(session.events.map(({ type, path }) => [type, path])).toEqual([
      [eventTypes.created, `${root}/a`],
      [eventTypes.created, `${root}/a/b`],
      [eventTypes.dataChanged, root],
      [eventTypes.deleted, `${root}/a/b`],
      [eventTypes.dataChanged, `${root}/a`],
    ])
    expect(new Set(session.events.map(({ zxid }) => zxid)).size).toBe(1)
  })

  it('X12 a multi longer than a frame closes the connection, and nothing of it is applied', async () => {
    const [session, root] = await side.begin()
    const big = { path: `${root}/big`, data: new Uint8Array(1_000_000), acl: worldAnyone, flags: 0 }
    const writer = new Writer(4096)
    writeMultiRequest(writer, [create(`${root}/a`), { operation: 'create', request: big }])
    const rest = encode(opcodes.create.request, { ...big, acl: [...worldAnyone] })
    session.client.send(request(77, opcodes.multi.code, Buffer.concat([writer.take(), rest])))
    expect(await session.closed()).toBe(0)
    const other = await side.open()
    for (const name of ['a', 'big']) {
      expect(await other.err('exists', { path: `${root}/${name}`, watch: false })).toBe(NoNode)
    }
  })

  it('an operation that another of the same multi makes impossible refuses it', async () => {
    const [session, root] = await side.begin()
    const { results } = await session.multi([create(`${root}/a`), create(`${root}/a`)])
    expect(errs(results)).toEqual([0, NodeExists])
  })
})
