import { promisify } from 'node:util'
import zookeeper, { type Client, type Event } from 'node-zookeeper-client'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { targets, type Target } from './targets.ts'

const { CreateMode, Exception } = zookeeper

describe.each(targets)('npm’s node-zookeeper-client against $name', ({ start }) => {
  let target: Target
  let open: Client[] = []

  beforeAll(async () => {
    target = await start()
  })
  afterEach(() => {
    for (const client of open) client.close()
    open = []
  })
  afterAll(() => target.stop())

  const connect = (hosts: string): Promise<Promised> => {
    const client = zookeeper.createClient(hosts, { sessionTimeout: 5000 })
    open.push(client)
    return new Promise((resolve) => {
      client.once('connected', () => resolve(promised(client)))
      client.connect()
    })
  }

  it('creates each kind of node, reads, changes and deletes', async () => {
    const client = await connect(target.hosts)
    expect(await client.create('/n', Buffer.from('one'), CreateMode.PERSISTENT)).toBe('/n')
    expect(await client.create('/n/e', Buffer.from(''), CreateMode.EPHEMERAL)).toBe('/n/e')
    expect(await client.create('/n/s', Buffer.from(''), CreateMode.PERSISTENT_SEQUENTIAL)).toBe(
      '/n/s0000000001',
    )
    expect(await client.create('/n/es', Buffer.from(''), CreateMode.EPHEMERAL_SEQUENTIAL)).toBe(
      '/n/es0000000002',
    )
    const [content, stat] = await client.getData('/n')
    expect(content.toString()).toBe('one')
    expect(stat).toMatchObject({ version: 0, cversion: 3, dataLength: 3, numChildren: 3 })
    expect(await client.setData('/n', Buffer.from('two!'), 0)).toMatchObject({
      version: 1,
      dataLength: 4,
    })
    expect((await client.getChildren('/n')).toSorted()).toEqual([
      'e',
      'es0000000002',
      's0000000001',
    ])
    expect(await client.exists('/n/e')).toMatchObject({ dataLength: 0 })
    expect(await client.exists('/nowhere')).toBeNull()
    expect(await client.getACL('/n')).toMatchObject([
      { permission: 31, id: { scheme: 'world', id: 'anyone' } },
    ])
    for (const name of await client.getChildren('/n')) await client.remove(`/n/${name}`)
    await client.remove('/n')
    expect(await client.exists('/n')).toBeNull()
  })

  it('is refused by ZooKeeper’s own codes', async () => {
    const client = await connect(target.hosts)
    await client.create('/r', Buffer.from(''), CreateMode.PERSISTENT)
    await client.create('/r/e', Buffer.from(''), CreateMode.EPHEMERAL)
    const codeOf = (call: Promise<unknown>): Promise<number> =>
      call.then(
        () => 0,
        (error: { code: number }) => error.code,
      )
    expect(await codeOf(client.create('/r', Buffer.from(''), CreateMode.PERSISTENT))).toBe(
      Exception.NODE_EXISTS,
    )
    expect(await codeOf(client.create('/no/x', Buffer.from(''), CreateMode.PERSISTENT))).toBe(
      Exception.NO_NODE,
    )
    expect(await codeOf(client.create('/r/e/x', Buffer.from(''), CreateMode.PERSISTENT))).toBe(
      Exception.NO_CHILDREN_FOR_EPHEMERALS,
    )
    expect(await codeOf(client.setData('/r', Buffer.from(''), 9))).toBe(Exception.BAD_VERSION)
    expect(await codeOf(client.remove('/r'))).toBe(Exception.NOT_EMPTY)
    await client.remove('/r/e')
    await client.remove('/r')
  })

  it('commits a transaction whole or not at all', async () => {
    const client = await connect(target.hosts)
    await client.transaction((all) =>
      all
        .create('/t', Buffer.from('a'))
        .create('/t/b', Buffer.from('b'))
        .check('/t', 0)
        .setData('/t', Buffer.from('c'), 0),
    )
    expect((await client.getData('/t'))[0].toString()).toBe('c')
    await expect(
      client.transaction((all) => all.remove('/t/b').create('/t', Buffer.from('x'))),
    ).rejects.toMatchObject({ code: Exception.NODE_EXISTS })
    expect(await client.getChildren('/t')).toEqual(['b'])
    await client.transaction((all) => all.remove('/t/b').remove('/t'))
  })

  it('hears once of what a client of another member changes', async () => {
    const [first, second] = target.zkPorts.map((port) => `127.0.0.1:${port}`)
    const [watching, writing] = await Promise.all([connect(first ?? ''), connect(second ?? '')])
    await watching.create('/w', Buffer.from(''), CreateMode.PERSISTENT)
    const events: string[] = []
    const keep = (event: Event): void => void events.push(`${event.getName()} ${event.getPath()}`)
    await watching.getData('/w', keep)
    await watching.getChildren('/w', keep)
    await watching.exists('/w/later', keep)
    await writing.setData('/w', Buffer.from('1'))
    await writing.create('/w/later', Buffer.from(''), CreateMode.PERSISTENT)
    await writing.setData('/w', Buffer.from('2'))
    await expect
      .poll(() => events.toSorted())
      .toEqual(['NODE_CHILDREN_CHANGED /w', 'NODE_CREATED /w/later', 'NODE_DATA_CHANGED /w'])
    await writing.remove('/w/later')
    await writing.remove('/w')
  })

  it('keeps hundreds of requests in order when it does not wait', async () => {
    const client = await connect(target.hosts)
    await client.create('/p', Buffer.from(''), CreateMode.PERSISTENT)
    const names = await Promise.all(
      Array.from({ length: 300 }, () =>
        client.create('/p/n', Buffer.from(''), CreateMode.PERSISTENT_SEQUENTIAL),
      ),
    )
    expect(names).toEqual(names.toSorted())
    expect(new Set(names).size).toBe(300)
    await Promise.all(names.map((name) => client.remove(name)))
    await client.remove('/p')
  })

  it('loses its ephemerals when it closes', async () => {
    const [owner, other] = await Promise.all([connect(target.hosts), connect(target.hosts)])
    await owner.create('/gone', Buffer.from(''), CreateMode.EPHEMERAL)
    owner.close()
    await expect.poll(() => other.exists('/gone')).toBeNull()
  })
})

type Promised = ReturnType<typeof promised>

/** The client speaks in callbacks. */
function promised(client: Client) {
  type Watcher = (event: Event) => void
  return {
    create: promisify<string, Buffer, number, string>(client.create.bind(client)),
    setData: (path: string, content: Buffer, version = -1) =>
      promisify<string, Buffer, number, zookeeper.Stat>(client.setData.bind(client))(
        path,
        content,
        version,
      ),
    remove: promisify<string, void>(client.remove.bind(client)),
    exists: (path: string, watcher?: Watcher) =>
      new Promise<zookeeper.Stat | null>((resolve, reject) => {
        const done = (error: unknown, stat: zookeeper.Stat) =>
          error ? reject(error) : resolve(stat)
        if (watcher) client.exists(path, watcher, done)
        else client.exists(path, done)
      }),
    getData: (path: string, watcher?: Watcher) =>
      new Promise<[Buffer, zookeeper.Stat]>((resolve, reject) => {
        const done = (error: unknown, content: Buffer, stat: zookeeper.Stat) =>
          error ? reject(error) : resolve([content, stat])
        if (watcher) client.getData(path, watcher, done)
        else client.getData(path, done)
      }),
    getChildren: (path: string, watcher?: Watcher) =>
      new Promise<string[]>((resolve, reject) => {
        const done = (error: unknown, names: string[]) => (error ? reject(error) : resolve(names))
        if (watcher) client.getChildren(path, watcher, done)
        else client.getChildren(path, done)
      }),
    getACL: (path: string) =>
      new Promise<zookeeper.ACL[]>((resolve, reject) => {
        client.getACL(path, (error, acls) => (error ? reject(error) : resolve(acls)))
      }),
    transaction: (fill: (transaction: zookeeper.Transaction) => zookeeper.Transaction) =>
      promisify((done: (error: unknown, results: unknown) => void) => {
        fill(client.transaction()).commit(done)
      })(),
    close: () => client.close(),
  }
}
