/** A member restarts under a held lock, a persistent watch and a cached subtree: nothing of them is lost. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  type Client,
  type ClientOptions,
  connect,
  type WatchEvent,
  ZooKeeperError,
} from '../../src/client/index.ts'
import { tcp } from '../../src/client/node-tcp.ts'
import { cacheSubtree, Lock, type SubtreeCache } from '../../src/recipes/index.ts'
import { type Ensemble, startEnsemble } from '../support/ensemble.ts'
import { until } from '../support/until.ts'

let ensemble: Ensemble
const clients: Client[] = []
beforeAll(async () => {
  ensemble = await startEnsemble({ env: { TICK_TIME: '1000' } })
})
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()))
})
afterAll(() => ensemble?.stop())

function open(url: string, options: ClientOptions): Client {
  const client = connect(url, { timeoutMs: 10_000, ...options })
  clients.push(client)
  return client
}

/** Both ways in, to one member. */
const ways = {
  WebSocket: (member: number) => open(ensemble.webSocketUrl, { member }),
  TCP: (member: number) =>
    open(`tcp://127.0.0.1:${ensemble.zkPorts[member - 1]}`, { transport: tcp }),
}

describe.each(Object.entries(ways))('over %s', (way, openAt) => {
  it('a member restarts, each in turn, while another client writes', async () => {
    const root = `/restarts-${way}`
    const holder = openAt(1)
    const writer = open(ensemble.webSocketUrl, { member: 2 })
    await writer.create(root)
    await holder.sync()
    const session = (await holder.ready(), holder.session?.id)
    const hold = await new Lock(holder, `/locks-${way}`).acquire()
    const cache = await cacheSubtree(holder, root)
    const rival = new AbortController()
    const waiting = new Lock(writer, `/locks-${way}`).acquire({ signal: rival.signal }).then(
      () => 'took it',
      () => 'gave up',
    )
    let isOver = false
    let acknowledged = 0
    const writing = (async () => {
      for (let n = 0; !isOver; n++) {
        const node = `${root}/${n % 50}`
        await writer.create(node, { data: `${n}` }).then(() => acknowledged++, expectFailure)
        await writer.set(`${root}/${n % 7}`, `${n}`).catch(expectFailure)
        if (n % 3 === 0) await writer.delete(node).catch(expectFailure)
      }
    })()
    for (const { sid } of await ensemble.members()) {
      await ensemble.restartMember(sid)
      await ensemble.formed()
      const before = acknowledged
      await until('two writes after it', () => acknowledged >= before + 2)
    }
    isOver = true
    await writing
    await writer.create(`${root}/last`)
    await until('the copy to be the tree', () => isTree(cache, writer, root))
    expect(cache.children(root)).toContain('last')
    await until('the holder back', () => holder.sync().then(() => true))
    expect(holder.session?.id).toBe(session)
    expect(hold.lost.aborted).toBe(false)
    expect(await holder.exists(hold.path)).toMatchObject({ czxid: hold.token })
    rival.abort()
    expect(await waiting).toBe('gave up')
    await hold.release()
    const next = await new Lock(writer, `/locks-${way}`).acquire()
    expect(next.token).toBeGreaterThan(hold.token)
  }, 60_000)

  it('what a persistent watch could not hear while its member was out is made known by `resumed`', async () => {
    const root = `/out-${way}`
    const watcher = openAt(1)
    const writer = open(ensemble.webSocketUrl, { member: 2 })
    await writer.create(root)
    await watcher.sync()
    const events: WatchEvent[] = []
    await watcher.addWatch(root, 'persistentRecursive', (event) => void events.push(event))
    await ensemble.admin('POST', 'members/1/stop')
    try {
      await until('a write', () => writer.create(`${root}/missed`))
    } finally {
      await ensemble.admin('POST', 'members/1/start')
    }
    await ensemble.formed()
    await until('word of it', () => events.some(({ type }) => type === 'resumed'))
    await watcher.sync()
    expect(await watcher.exists(`${root}/missed`)).toBeDefined()
    await writer.create(`${root}/heard`)
    await until('the next event', () => events.some(({ path }) => path === `${root}/heard`))
  }, 60_000)
})

/** While members restart a write may not get through, or a node be there or gone already. */
function expectFailure(error: unknown): void {
  if (!(error instanceof ZooKeeperError)) throw error
}

async function isTree(cache: SubtreeCache, client: Client, root: string): Promise<boolean> {
  await client.sync()
  const names = await client.getChildren(root)
  if ([...names].sort().join() !== cache.children(root).join()) return false
  const zxids = names.map(async (name) => (await client.exists(`${root}/${name}`))?.mzxid)
  const copied = names.map((name) => cache.get(`${root}/${name}`)?.stat.mzxid)
  return (await Promise.all(zxids)).join() === copied.join()
}
