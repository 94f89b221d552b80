import { expect, test } from 'vitest'
import { openAcl } from '../../../src/client/index.ts'
import { Fixture, refusal, type Target, textOf } from './fixture.ts'

export function operations(target: Target): void {
  const it = new Fixture(target)
  creating(it)
  reading(it)
  changing(it)
  deleting(it)
  acls(it)
  order(it)
}

function creating(it: Fixture): void {
  test('create answers the path and keeps the data', async () => {
    const path = `${it.root}/a`
    expect(await it.client.create(path, { data: 'hello' })).toBe(path)
    const { data, stat } = await it.client.get(path)
    expect(textOf(data)).toBe('hello')
    expect(stat).toMatchObject({
      czxid: stat.mzxid,
      pzxid: stat.czxid,
      ctime: stat.mtime,
      version: 0,
      cversion: 0,
      aversion: 0,
      ephemeralOwner: 0n,
      dataLength: 5,
      numChildren: 0,
    })
  })

  test('null data is not the same as no bytes', async () => {
    await it.client.create(`${it.root}/null`, { data: null })
    await it.client.create(`${it.root}/empty`, { data: new Uint8Array(0) })
    expect((await it.client.get(`${it.root}/null`)).data).toBeNull()
    expect((await it.client.get(`${it.root}/empty`)).data).toEqual(new Uint8Array(0))
  })

  test('a path may have any letters', async () => {
    const path = `${it.root}/größe 数 a.b`
    await it.client.create(path)
    expect(await it.client.getChildren(it.root)).toEqual(['größe 数 a.b'])
    expect(await it.client.exists(path)).toBeDefined()
  })

  test('create2 answers the stat too', async () => {
    const { path, stat } = await it.client.create2(`${it.root}/a`, { data: 'xyz' })
    expect(path).toBe(`${it.root}/a`)
    expect(stat).toEqual((await it.client.get(path)).stat)
  })

  test('an ephemeral belongs to the session and takes no children', async () => {
    const { path, stat } = await it.client.create2(`${it.root}/e`, { mode: 'ephemeral' })
    expect(stat.ephemeralOwner).toBe(it.client.session?.id)
    expect(await refusal(it.client.create(`${path}/child`))).toBe('NoChildrenForEphemerals')
  })

  test('sequential names end in ten digits that count creations in the parent', async () => {
    const jobs = await it.client.create(`${it.root}/jobs`)
    const first = await it.client.create(`${jobs}/job-`, { mode: 'persistentSequential' })
    await it.client.create(`${jobs}/other`)
    await it.client.delete(`${jobs}/other`)
    const third = await it.client.create2(`${jobs}/lock-`, { mode: 'ephemeralSequential' })
    expect(first).toBe(`${jobs}/job-0000000000`)
    expect(third.path).toBe(`${jobs}/lock-0000000002`)
    expect(third.stat.ephemeralOwner).toBe(it.client.session?.id)
  })

  test.each([
    ['NodeExists', ''],
    ['NoNode', '/no/child'],
    ['BadArguments', '/'],
    ['BadArguments', '/.'],
    ['BadArguments', '/a\u0000b'],
  ])('create is refused with %s for the root and %j', async (code, suffix) => {
    expect(await refusal(it.client.create(`${it.root}${suffix}`))).toBe(code)
  })

  test('create without any ACL is refused', async () => {
    expect(await refusal(it.client.create(`${it.root}/a`, { acl: [] }))).toBe('InvalidAcl')
  })
}

function reading(it: Fixture): void {
  test('exists answers the stat, or undefined', async () => {
    const { path, stat } = await it.client.create2(`${it.root}/a`)
    expect(await it.client.exists(path)).toEqual(stat)
    expect(await it.client.exists(`${it.root}/b`)).toBeUndefined()
  })

  test('get and getChildren of no node are refused', async () => {
    expect(await refusal(it.client.get(`${it.root}/no`))).toBe('NoNode')
    expect(await refusal(it.client.getChildren(`${it.root}/no`))).toBe('NoNode')
    expect(await refusal(it.client.getChildren2(`${it.root}/no`))).toBe('NoNode')
  })

  test('getChildren answers names, getChildren2 the stat of the parent too', async () => {
    await Promise.all(['c', 'a', 'b'].map((name) => it.client.create(`${it.root}/${name}`)))
    await it.client.create(`${it.root}/a/deeper`)
    expect([...(await it.client.getChildren(it.root))].sort()).toEqual(['a', 'b', 'c'])
    const { children, stat } = await it.client.getChildren2(it.root)
    expect([...children].sort()).toEqual(['a', 'b', 'c'])
    expect(stat).toEqual(await it.client.exists(it.root))
    expect(await it.client.getChildren(`${it.root}/b`)).toEqual([])
  })

  test('sync answers its path, also of no node', async () => {
    expect(await it.client.sync(it.root)).toBe(it.root)
    expect(await it.client.sync(`${it.root}/no`)).toBe(`${it.root}/no`)
  })

  test('ping answers', async () => {
    await it.client.ping()
    await Promise.all([it.client.ping(), it.client.exists(it.root), it.client.ping()])
  })
}

function changing(it: Fixture): void {
  test('set counts versions and moves mzxid', async () => {
    const { path, stat: before } = await it.client.create2(`${it.root}/a`, { data: '1' })
    const after = await it.client.set(path, 'three')
    expect(after).toMatchObject({ version: 1, dataLength: 5, czxid: before.czxid })
    expect(after.mzxid).toBeGreaterThan(before.mzxid)
    expect(after.pzxid).toBe(before.pzxid)
    const { data, stat } = await it.client.get(path)
    expect(textOf(data)).toBe('three')
    expect(stat).toEqual(after)
  })

  test('set with a version is refused where it is another', async () => {
    const path = await it.client.create(`${it.root}/a`)
    expect((await it.client.set(path, 'x', { version: 0 })).version).toBe(1)
    expect(await refusal(it.client.set(path, 'y', { version: 0 }))).toBe('BadVersion')
    expect(await refusal(it.client.set(`${it.root}/no`, 'y'))).toBe('NoNode')
  })

  test('children move cversion and pzxid of their parent, and nothing else', async () => {
    const { path, stat: before } = await it.client.create2(`${it.root}/p`)
    const child = await it.client.create2(`${path}/c`)
    const grown = await it.client.exists(path)
    expect(grown).toEqual({ ...before, cversion: 1, numChildren: 1, pzxid: child.stat.czxid })
    await it.client.set(child.path, 'x')
    expect(await it.client.exists(path)).toEqual(grown)
    await it.client.delete(child.path)
    const shrunk = await it.client.exists(path)
    expect(shrunk).toMatchObject({ cversion: 2, numChildren: 0, mzxid: before.mzxid, version: 0 })
    expect(shrunk?.pzxid).toBeGreaterThan(child.stat.czxid)
  })

  test('a request may be as long as a frame, and no longer', async () => {
    const path = await it.client.create(`${it.root}/a`)
    const overhead = 4 + 4 + 4 + path.length + 4 + 4
    const data = new Uint8Array(1_048_575 - overhead).fill(7)
    expect((await it.client.set(path, data)).dataLength).toBe(data.length)
    expect((await it.client.get(path)).data).toEqual(data)
    const longer = new Uint8Array(data.length + 1)
    expect(await refusal(it.client.set(path, longer))).toBe('BadArguments')
    expect(it.client.state).toBe('connected')
  })
}

function deleting(it: Fixture): void {
  test('delete takes the node away', async () => {
    const path = await it.client.create(`${it.root}/a`)
    expect(await it.client.delete(path)).toBeUndefined()
    expect(await it.client.exists(path)).toBeUndefined()
  })

  test('delete is refused for no node, another version, children', async () => {
    const path = await it.client.create(`${it.root}/a`)
    await it.client.create(`${path}/b`)
    expect(await refusal(it.client.delete(`${it.root}/no`))).toBe('NoNode')
    expect(await refusal(it.client.delete(path, { version: 3 }))).toBe('BadVersion')
    expect(await refusal(it.client.delete(path, { version: 0 }))).toBe('NotEmpty')
  })
}

function acls(it: Fixture): void {
  const readOnly = [{ perms: 17, id: { scheme: 'world', id: 'anyone' } }]

  test('getAcl answers what create was given, setAcl changes it and its version', async () => {
    const path = await it.client.create(`${it.root}/a`)
    const before = await it.client.getAcl(path)
    expect(before.acl).toEqual(openAcl)
    const stat = await it.client.setAcl(path, readOnly, { version: 0 })
    expect(stat).toEqual({ ...before.stat, aversion: 1 })
    expect(await it.client.getAcl(path)).toEqual({ acl: readOnly, stat })
    expect(await refusal(it.client.set(path, 'x'))).toBe('NoAuth')
  })

  test('setAcl is refused for no node, another version, an empty list', async () => {
    const path = await it.client.create(`${it.root}/a`)
    expect(await refusal(it.client.setAcl(`${path}/no`, openAcl))).toBe('NoNode')
    expect(await refusal(it.client.setAcl(path, openAcl, { version: 9 }))).toBe('BadVersion')
    expect(await refusal(it.client.setAcl(path, []))).toBe('InvalidAcl')
  })
}

function order(it: Fixture): void {
  test('what is asked without waiting happens in that order', async () => {
    const path = await it.client.create(`${it.root}/n`)
    const versions = Array.from({ length: 300 }, (_, version) =>
      Promise.all([
        it.client.set(path, `${version}`, { version }),
        it.client.get(path).then(({ data, stat }) => [textOf(data), stat.version]),
      ]),
    )
    for (const [version, answer] of (await Promise.all(versions)).entries()) {
      expect(answer[1]).toEqual([`${version}`, version + 1])
    }
  })

  test('a refusal among them disturbs nobody', async () => {
    const names = Array.from({ length: 50 }, (_, n) => `${it.root}/${n % 2 ? 'same' : n}`)
    const outcomes = await Promise.allSettled(names.map((path) => it.client.create(path)))
    const granted = outcomes.filter(({ status }) => status === 'fulfilled')
    expect(granted).toHaveLength(26)
  })
}
