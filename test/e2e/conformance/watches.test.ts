/** Who is told of what, once or always, and when. */
import { describe, expect, it } from 'vitest'
import { worldAnyone } from '../../../src/core/tree/acl.ts'
import { createFlags, eventTypes, permissions } from '../../../src/core/wire/opcodes.ts'
import { errorCodes } from '../../../src/core/wire/refusals.ts'
import type { SeenEvent, Session } from './session.ts'
import { onBothSides } from './sides.ts'

const { created, deleted, dataChanged, childrenChanged } = eventTypes
const { NoWatcher, NoNode, MarshallingError } = errorCodes
const modes = { persistent: 0, recursive: 1 } as const
/** WatcherType */
const types = { children: 1, data: 2, any: 3, persistent: 4, recursive: 5 } as const

const told = (events: readonly SeenEvent[]): readonly (readonly [number, string])[] =>
  events.map(({ type, path }) => [type, path])
const heardBy = async (session: Session): Promise<readonly (readonly [number, string])[]> =>
  told(await session.heard())
const watchData = (session: Session, path: string): Promise<number> =>
  session.err('getData', { path, watch: true })
const watchChildren = (session: Session, path: string): Promise<number> =>
  session.err('getChildren', { path, watch: true })
const watchExistence = (session: Session, path: string): Promise<number> =>
  session.err('exists', { path, watch: true })

onBothSides({}, (side) => {
  it('E01 a watch of getData tells once of a change or of the deletion', async () => {
    const [session, root] = await side.begin()
    await session.create(`${root}/a`)
    await watchData(session, `${root}/a`)
    await session.set(`${root}/a`, '1')
    await session.set(`${root}/a`, '2')
    expect(await heardBy(session)).toEqual([[dataChanged, `${root}/a`]])
    await watchData(session, `${root}/a`)
    await session.delete(`${root}/a`)
    await session.create(`${root}/a`)
    expect(await heardBy(session)).toEqual([[deleted, `${root}/a`]])
  })

  it('E02 a watch of exists on no node tells of its creation', async () => {
    const [session, root] = await side.begin()
    expect(await watchExistence(session, `${root}/a`)).toBe(NoNode)
    await session.create(`${root}/a`)
    await session.set(`${root}/a`)
    expect(await heardBy(session)).toEqual([[created, `${root}/a`]])
  })

  it('E03 a refused read leaves no watch', async () => {
    const [session, root] = await side.begin()
    expect(await watchData(session, `${root}/a`)).toBe(NoNode)
    expect(await watchChildren(session, `${root}/a`)).toBe(NoNode)
    await session.create(`${root}/a`)
    await session.create(`${root}/a/b`)
    expect(await heardBy(session)).toEqual([])
  })

  it('E04 a watch of children tells when one comes or goes, not of grandchildren nor of data', async () => {
    const [session, root] = await side.begin()
    await session.create(`${root}/a`)
    await watchChildren(session, root)
    await session.create(`${root}/a/b`)
    await session.set(`${root}/a`)
    await session.set(root)
    expect(await heardBy(session)).toEqual([])
    await session.create(`${root}/c`)
    await watchChildren(session, root)
    await session.delete(`${root}/c`)
    expect(await heardBy(session)).toEqual([
      [childrenChanged, root],
      [childrenChanged, root],
    ])
  })

  it('E05 who watches data and children of a node hears of its deletion once', async () => {
    const [session, root] = await side.begin()
    await session.create(`${root}/a`)
    await watchData(session, `${root}/a`)
    await watchChildren(session, `${root}/a`)
    await session.delete(`${root}/a`)
    expect(await heardBy(session)).toEqual([[deleted, `${root}/a`]])
  })

  it('E06 a watch set five times is one', async () => {
    const [session, root] = await side.begin()
    for (let round = 0; round < 5; round++) await watchData(session, root)
    await watchExistence(session, root)
    await session.set(root)
    await session.set(root)
    expect(await heardBy(session)).toEqual([[dataChanged, root]])
  })

  it('E07 nobody is told of a changed ACL', async () => {
    const [session, root] = await side.begin()
    await watchData(session, root)
    await watchChildren(session, root)
    await session.get('addWatch', { path: root, mode: modes.recursive })
    await session.get('setAcl', { path: root, acl: [...worldAnyone], version: -1 })
    expect(await heardBy(session)).toEqual([])
  })

  it('E08 an event has xid −1, no error, the state SyncConnected and the zxid of its change', async () => {
    const [session, root] = await side.begin()
    await watchData(session, root)
    const { zxid } = await session.ask('setData', { path: root, data: null, version: -1 })
    expect(await session.heard()).toEqual([
      // −1 before 3.9.
      { type: dataChanged, state: 3, path: root, err: 0, zxid: side.either(zxid, -1) },
    ])
  })

  it('E09 an event comes before the reply that shows its change, to oneself and to others', async () => {
    const [writer, root] = await side.begin()
    const reader = await side.open()
    for (let version = 1; version <= 50; version++) {
      await watchData(writer, root)
      await watchData(reader, root)
      writer.send('setData', { path: root, data: null, version: -1 })
      for (let isShown = false; !isShown;) {
        const read = await reader.get('getData', { path: root, watch: false })
        isShown = read.stat.version === version
        if (isShown) expect(told(reader.events.splice(0))).toEqual([[dataChanged, root]])
      }
      expect(await writer.next()).toMatchObject({ err: 0 })
      expect(told(writer.events.splice(0))).toEqual([[dataChanged, root]])
    }
  })

  it('E10 events come in the order of their changes', async () => {
    const [writer, root] = await side.begin()
    const reader = await side.open({}, 1)
    const nodes = Array.from({ length: 50 }, (_, at) => `${root}/${at}`)
    for (const path of nodes) await writer.create(path)
    await reader.get('addWatch', { path: root, mode: modes.recursive })
    const changed: string[] = []
    for (let round = 0; round < 1000; round++) {
      const path = nodes[(round * 7919) % nodes.length] ?? ''
      changed.push(path)
      writer.send('setData', { path, data: null, version: -1 })
    }
    for (const path of changed) expect([path, (await writer.next())?.err]).toEqual([path, 0])
    const events = await reader.heard()
    expect(events.map(({ path }) => path)).toEqual(changed)
    const zxids = events.map(({ zxid }) => zxid)
    expect([...zxids].sort((a, b) => a - b)).toEqual(zxids)
  })

  it('E11 a persistent watch tells of everything about its node, again and again', async () => {
    const [session, root] = await side.begin()
    const path = `${root}/a`
    await session.get('addWatch', { path, mode: modes.persistent })
    for (let round = 0; round < 2; round++) {
      await session.create(path)
      await session.set(path)
      await session.create(`${path}/b`)
      await session.set(`${path}/b`)
      await session.delete(`${path}/b`)
      await session.delete(path)
    }
    const once = [
      [created, path],
      [dataChanged, path],
      [childrenChanged, path],
      [childrenChanged, path],
      [deleted, path],
    ]
    expect(await heardBy(session)).toEqual([...once, ...once])
  })

  it('E12 a recursive watch tells of its whole subtree, and never of lists of children', async () => {
    const [session, root] = await side.begin()
    await session.get('addWatch', { path: root, mode: modes.recursive })
    await session.create(`${root}/a`)
    await session.create(`${root}/a/b`)
    await session.set(`${root}/a/b`)
    await session.set(root)
    await session.delete(`${root}/a/b`)
    await session.delete(`${root}/a`)
    expect(await heardBy(session)).toEqual([
      [created, `${root}/a`],
      [created, `${root}/a/b`],
      [dataChanged, `${root}/a/b`],
      [dataChanged, root],
      [deleted, `${root}/a/b`],
      [deleted, `${root}/a`],
    ])
  })

  it('E13 addWatch answers an error of 0 in its body, for a missing node too, and −5 for a mode that is none', async () => {
    const [session, root] = await side.begin()
    const reply = await session.ask('addWatch', { path: `${root}/none`, mode: modes.persistent })
    expect(reply).toMatchObject({ err: 0, body: new Uint8Array(4) })
    for (const mode of [2, -1, 99]) {
      expect(await session.err('addWatch', { path: root, mode })).toBe(MarshallingError)
    }
  })

  it('E15 watches are found and removed by their type, and are silent afterwards', async () => {
    const [session, root] = await side.begin()
    const check = (type: number) => session.err('checkWatches', { path: root, type })
    const remove = (type: number) => session.err('removeWatches', { path: root, type })
    expect([await check(types.any), await remove(types.any)]).toEqual([NoWatcher, NoWatcher])
    await watchData(session, root)
    expect([await check(types.data), await check(types.children)]).toEqual([0, NoWatcher])
    await watchChildren(session, root)
    expect([await remove(types.children), await remove(types.children)]).toEqual([0, NoWatcher])
    await session.create(`${root}/a`)
    expect([await remove(types.data), await check(types.any)]).toEqual([0, NoWatcher])
    await session.set(root)
    await watchData(session, root)
    await watchChildren(session, root)
    expect([await remove(types.any), await check(types.any)]).toEqual([0, NoWatcher])
    await session.set(root)
    await session.delete(`${root}/a`)
    expect(await heardBy(session)).toEqual([])
  })

  it('E17 setWatches tells what changed since the zxid the client saw, and arms what did not', async () => {
    const [session, root] = await side.begin()
    const names = ['gone', 'changed', 'same', 'born', 'children', 'quiet'] as const
    const [gone, changed, same, born, children, quiet] = names.map((name) => `${root}/${name}`) as [
      string,
      string,
      string,
      string,
      string,
      string,
    ]
    for (const path of [gone, changed, same, children, quiet]) await session.create(path)
    const { zxid: relativeZxid } = await session.ask('exists', { path: root, watch: false })
    await session.delete(gone)
    await session.set(changed)
    await session.create(born)
    await session.create(`${children}/x`)
    const reconnected = await side.open()
    reconnected.send(
      'setWatches',
      {
        relativeZxid,
        dataWatches: [gone, changed, same],
        existWatches: [born, `${root}/unborn`],
        childWatches: [gone, children, quiet],
      },
      -8,
    )
    expect(await reconnected.next()).toMatchObject({ xid: -8, err: 0 })
    const atOnce = reconnected.events.splice(0)
    expect([...told(atOnce)].sort((a, b) => String(a).localeCompare(String(b)))).toEqual([
      [created, born],
      [deleted, gone],
      [deleted, gone],
      [dataChanged, changed],
      [childrenChanged, children],
    ])
    for (const { zxid } of atOnce) expect(zxid).toBe(-1)
    await session.set(same)
    await session.create(`${quiet}/x`)
    await session.create(`${root}/unborn`)
    await session.set(changed)
    await session.delete(`${children}/x`)
    expect(await heardBy(reconnected)).toEqual([
      [dataChanged, same],
      [childrenChanged, quiet],
      [created, `${root}/unborn`],
    ])
  })

  it('E18 setWatches2 arms watches that stay, and tells nothing of what they missed', async () => {
    const [session, root] = await side.begin()
    const { zxid: relativeZxid } = await session.ask('exists', { path: root, watch: false })
    await session.set(root)
    const reconnected = await side.open()
    const none = { dataWatches: [], existWatches: [], childWatches: [] }
    reconnected.send(
      'setWatches2',
      {
        ...none,
        relativeZxid,
        persistentWatches: [root],
        persistentRecursiveWatches: [`${root}/deep`],
      },
      -8,
    )
    expect(await reconnected.next()).toMatchObject({ xid: -8, err: 0 })
    expect(reconnected.events).toEqual([])
    for (const path of [`${root}/deep`, `${root}/deep/er`]) await session.create(path)
    await session.set(root)
    await session.set(`${root}/deep/er`)
    expect(await heardBy(reconnected)).toEqual([
      [created, `${root}/deep`],
      [childrenChanged, root],
      [created, `${root}/deep/er`],
      [dataChanged, root],
      [dataChanged, `${root}/deep/er`],
    ])
  })

  it('E20 watches go with their connection', async () => {
    const [writer, root] = await side.begin()
    const first = await side.open()
    await watchData(first, root)
    await first.get('addWatch', { path: root, mode: modes.recursive })
    first.drop()
    const second = await side.open({ sessionId: first.id, passwd: first.passwd })
    await writer.set(root)
    expect(await heardBy(second)).toEqual([])
  })

  it('E21 nobody hears of a node he may not read', async () => {
    const [session, root] = await side.begin()
    const acl = [{ perms: 31 & ~permissions.read, id: { scheme: 'world', id: 'anyone' } }]
    await session.create(`${root}/closed`, { acl })
    await session.get('addWatch', { path: `${root}/closed`, mode: modes.persistent })
    await session.get('addWatch', { path: root, mode: modes.recursive })
    await session.set(`${root}/closed`)
    await session.create(`${root}/open`)
    await session.create(`${root}/closed/open`)
    expect(await heardBy(session)).toEqual([
      [created, `${root}/open`],
      [created, `${root}/closed/open`],
    ])
  })

  it('E22 the end of a session tells of each of its ephemerals and of their parents', async () => {
    const [session, root] = await side.begin()
    const leaving = await side.open()
    for (const name of ['a', 'b']) {
      await leaving.create(`${root}/${name}`, { flags: createFlags.ephemeral })
    }
    await session.get('addWatch', { path: root, mode: modes.persistent })
    await watchData(session, `${root}/a`)
    await watchExistence(session, `${root}/b`)
    await leaving.close()
    const events = await heardBy(session)
    expect([...events].sort((x, y) => String(x).localeCompare(String(y)))).toEqual([
      [deleted, `${root}/a`],
      [deleted, `${root}/b`],
      [childrenChanged, root],
      [childrenChanged, root],
    ])
  })

  it('E23 a watch at one member hears of a write at another', async () => {
    const [writer, root] = await side.begin()
    for (const member of [1, 2]) {
      const watcher = await side.open({}, member)
      await watcher.get('sync', { path: root })
      expect(await watchData(watcher, root)).toBe(0)
      await watchChildren(watcher, root)
      await writer.set(root)
      await writer.create(`${root}/${member}`)
      expect(await heardBy(watcher)).toEqual([
        [dataChanged, root],
        [childrenChanged, root],
      ])
    }
  })

  // In 3.8.0 the last mode of a path takes the place of the others, and the types 4 and 5 are −5.
  describe.skipIf(!side.isOurs)('as since 3.9', () => {
    it('E14 E16 every mode lives on one path, and each is found and removed by itself', async () => {
      const [session, root] = await side.begin()
      await watchData(session, root)
      await session.get('addWatch', { path: root, mode: modes.persistent })
      await session.get('addWatch', { path: root, mode: modes.recursive })
      const check = (type: number) => session.err('checkWatches', { path: root, type })
      const remove = (type: number) => session.err('removeWatches', { path: root, type })
      for (const type of [types.data, types.persistent, types.recursive]) {
        expect([type, await check(type)]).toEqual([type, 0])
      }
      await session.set(root)
      expect(await heardBy(session)).toEqual([[dataChanged, root]])
      expect(await check(types.data)).toBe(NoWatcher)
      expect(await remove(types.recursive)).toBe(0)
      await session.create(`${root}/a`)
      expect(await heardBy(session)).toEqual([[childrenChanged, root]])
      expect([await remove(types.recursive), await remove(types.persistent)]).toEqual([
        NoWatcher,
        0,
      ])
      await session.set(root)
      expect(await heardBy(session)).toEqual([])
    })
  })
})
