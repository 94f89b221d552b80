/** Containers and nodes with a time to live: who is taken away when, and who is not. */
import { describe, expect, it } from 'vitest'
import { worldAnyone } from '../../../src/core/tree/acl.ts'
import { createFlags } from '../../../src/core/wire/opcodes.ts'
import { errorCodes } from '../../../src/core/wire/refusals.ts'
import { until } from '../../support/until.ts'
import type { Session } from './session.ts'
import { onBothSides } from './sides.ts'

const { container, persistentWithTtl, persistentSequentialWithTtl } = createFlags
const { NoNode, BadArguments } = errorCodes
const checkEveryMs = 200

const settings = {
  ours: { CONTAINER_CHECK_INTERVAL_MS: String(checkEveryMs) },
  apache: {
    'zookeeper.extendedTypesEnabled': 'true',
    'znode.container.checkIntervalMs': String(checkEveryMs),
  },
}

const node = (path: string, flags: number) => ({ path, data: null, acl: [...worldAnyone], flags })
const isThere = async (session: Session, path: string): Promise<boolean> =>
  (await session.err('exists', { path, watch: false })) === 0
const untilGone = (session: Session, path: string): Promise<unknown> =>
  until(`${path} to be taken away`, async () => !(await isThere(session, path)))

onBothSides(settings, (side) => {
  it('D21 a container is created with its own operation and has no owner', async () => {
    const [session, root] = await side.begin()
    const { path, stat } = await session.get('createContainer', node(`${root}/c`, container))
    expect(path).toBe(`${root}/c`)
    expect(stat.ephemeralOwner).toBe(0n)
  })

  it('D22 a container goes after its last child, and not before its first', async () => {
    const [session, root] = await side.begin()
    for (const name of ['used', 'unused', 'full']) {
      await session.get('createContainer', node(`${root}/${name}`, container))
    }
    await session.create(`${root}/full/child`)
    await session.create(`${root}/used/child`)
    await session.delete(`${root}/used/child`)
    await untilGone(session, `${root}/used`)
    // One that is used later is taken away later: by then the others were looked at too.
    await session.get('createContainer', node(`${root}/later`, container))
    await session.create(`${root}/later/child`)
    await session.delete(`${root}/later/child`)
    await untilGone(session, `${root}/later`)
    expect(await isThere(session, `${root}/unused`)).toBe(true)
    expect(await isThere(session, `${root}/full`)).toBe(true)
  })

  it('D23 a node with a time to live goes when that is over, unless it is written or has children', async () => {
    const [session, root] = await side.begin()
    const ttl = 800
    const since = performance.now()
    const flags = persistentWithTtl
    for (const name of ['left', 'full', 'renewed']) {
      await session.get('createTtl', { ...node(`${root}/${name}`, flags), ttl })
    }
    const { path } = await session.get('createTtl', {
      ...node(`${root}/s-`, persistentSequentialWithTtl),
      ttl,
    })
    expect(path).toBe(`${root}/s-0000000003`)
    await session.create(`${root}/full/child`)
    await until('the first to go', async () => {
      await session.set(`${root}/renewed`)
      return !(await isThere(session, `${root}/left`))
    })
    expect(performance.now() - since).toBeGreaterThanOrEqual(ttl - 20)
    expect(await isThere(session, `${root}/renewed`)).toBe(true)
    await untilGone(session, path)
    await untilGone(session, `${root}/renewed`)
    expect(await isThere(session, `${root}/full`)).toBe(true)
    await session.delete(`${root}/full/child`)
    await untilGone(session, `${root}/full`)
  })

  it('D24 a time to live is between 1 and 1 099 511 627 775, and with its own operation only', async () => {
    const [session, root] = await side.begin()
    const withTtl = (ttl: number, flags: number = persistentWithTtl): Promise<number> =>
      session.err('createTtl', { ...node(`${root}/t`, flags), ttl })
    expect(await withTtl(0)).toBe(BadArguments)
    expect(await withTtl(-1)).toBe(BadArguments)
    expect(await withTtl(1_099_511_627_776)).toBe(BadArguments)
    expect(await withTtl(5, 0)).toBe(BadArguments)
    expect(await session.err('create', node(`${root}/t`, persistentWithTtl))).toBe(BadArguments)
    expect(await withTtl(1_099_511_627_775)).toBe(0)
  })

  it('D26 a multi answers container and TTL creates as a create2, and a create2 as a create', async () => {
    const [session, root] = await side.begin()
    const { results } = await session.multi([
      { operation: 'create2', request: node(`${root}/two`, 0) },
      { operation: 'createContainer', request: node(`${root}/c`, container) },
      {
        operation: 'createTtl',
        request: { ...node(`${root}/t`, persistentWithTtl), ttl: 600_000 },
      },
    ])
    expect(results).toMatchObject([
      { operation: 'create', reply: { path: `${root}/two` } },
      { operation: 'create2', reply: { path: `${root}/c`, stat: { ephemeralOwner: 0n } } },
      { operation: 'create2', reply: { path: `${root}/t`, stat: { ephemeralOwner: 0n } } },
    ])
  })

  it('D31 a client does not take part in the reaper’s work', async () => {
    const [session, root] = await side.begin()
    const path = await session.create(`${root}/a`)
    expect(await session.err('deleteContainer', { path })).toBe(BadArguments)
    expect(await isThere(session, path)).toBe(true)
  })

  // 3.8.0 may stop for good when it is asked this.
  describe.skipIf(!side.isOurs)('otherwise than 3.8.0', () => {
    it('D25 a create with the TTL operation and no TTL flag is refused, and every member goes on', async () => {
      const [session, root] = await side.begin()
      for (const flags of [0, 1, 4]) {
        const body = { ...node(`${root}/t`, flags), ttl: -1 }
        expect(await session.err('createTtl', body)).toBe(BadArguments)
      }
      await session.create(`${root}/after`)
      for (const sid of [1, 2, 3]) {
        await side.ensemble.restartMember(sid)
        await side.ensemble.formed()
      }
      const later = await until('a member that serves', () => side.open())
      expect(await isThere(later, `${root}/after`)).toBe(true)
      expect(await isThere(later, `${root}/t`)).toBe(false)
    })
  })
})

onBothSides({ ours: { EXTENDED_TYPES_ENABLED: 'false' } }, (side) => {
  it('D24 where extended types are off, a time to live is answered −6', async () => {
    const [session, root] = await side.begin()
    const body = { ...node(`${root}/t`, persistentWithTtl), ttl: 1000 }
    expect(await session.err('createTtl', body)).toBe(errorCodes.Unimplemented)
    expect(await session.err('exists', { path: root, watch: false })).toBe(0)
    expect(await session.err('exists', { path: `${root}/t`, watch: false })).toBe(NoNode)
  })
})
