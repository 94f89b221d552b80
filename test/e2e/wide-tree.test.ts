/**
 * A cluster copies what each member writes, transaction by transaction, and cannot follow one that is larger than SQLite has
 * room for. Nothing that clients do may make one: not a tree with many parents, not a session that ends with thousands of nodes.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Client, connect } from '../../src/client/index.ts'
import { tcp } from '../../src/client/node-tcp.ts'
import { canCluster, Cluster } from '../support/cluster.ts'
import { until } from '../support/until.ts'

let cluster: Cluster

const clientOf = (number: number): Client =>
  connect(`tcp://127.0.0.1:${cluster.instance(number).zkPort}`, { transport: tcp })

/** Acts for each parent, so many at a time, and none next to the one before. */
const eachOf =
  (parents: number, atOnce: number) =>
  async (act: (parent: string) => Promise<unknown>): Promise<void> => {
    for (let at = 0; at < parents; at += atOnce) {
      const some = Array.from({ length: atOnce }, (_, nth) => ((at + nth) * 1009) % parents)
      await Promise.all(some.map((nth) => act(`/wide/p${nth}`)))
    }
  }

function expectNoFailedCommit(): void {
  const said = cluster.instances.map(({ output }) => output.join('')).join('')
  expect(/commit failed[^\n]*/.exec(said)?.[0]).toBeUndefined()
}

describe.skipIf(!canCluster)('a cluster with a wide tree', () => {
  beforeAll(async () => {
    cluster = await Cluster.start({ env: { TICK_TIME: '2000', SNAP_COUNT: '4000' } })
  })
  afterAll(() => cluster?.stop())

  const parents = 3000
  const each = eachOf(parents, 250)

  it('[D14] writes its checkpoints in pieces that can be copied', async () => {
    const [client, owner] = [clientOf(1), clientOf(2)]
    const data = new Uint8Array(100)
    await client.create('/wide')
    await each((parent) => client.create(parent))
    for (let round = 0; round < 3; round++) {
      await each((parent) => client.create(`${parent}/c${round}`, { data }))
    }
    for (let round = 0; round < 2; round++) {
      await each((parent) => client.set(`${parent}/c${round}`, data))
    }
    // Who comes back to that is given all of the tree.
    await cluster.kill9(3)
    for (const one of [client, owner]) await until('a write', () => one.set('/wide', data))
    await each((parent) => owner.create(`${parent}/owned`, { mode: 'ephemeral' }))
    await each((parent) => client.delete(`${parent}/c0`))
    await owner.close()
    for (let round = 0; round < 2; round++) {
      await each((parent) => client.set(`${parent}/c1`, data))
    }
    expect((await client.exists(`/wide/p${parents - 1}`))?.numChildren).toBe(2)
    await cluster.startInstance(3)
    await cluster.formed(3)
    const third = clientOf(3)
    await third.sync()
    expect((await third.exists(`/wide/p${parents - 1}`))?.numChildren).toBe(2)
    await third.close()
    await client.close()
    expectNoFailedCommit()
  }, 180_000)
})

describe.skipIf(!canCluster)('a cluster that is changed faster than its rows are written', () => {
  beforeAll(async () => {
    cluster = await Cluster.start({ env: { TICK_TIME: '2000', SNAP_COUNT: '1000' } })
  })
  afterAll(() => cluster?.stop())

  it('[D14] writes them in pieces all the same, and takes nothing else meanwhile', async () => {
    const client = clientOf(1)
    const data = new Uint8Array(100)
    const each = eachOf(12_000, 6000)
    await client.create('/wide')
    await each((parent) => client.create(parent))
    for (let round = 0; round < 3; round++) {
      await each((parent) => client.create(`${parent}/c${round}`, { data }))
    }
    expect((await client.exists('/wide/p7'))?.numChildren).toBe(3)
    await client.close()
    expectNoFailedCommit()
  }, 120_000)
})

describe.skipIf(!canCluster)('a cluster with large nodes', () => {
  beforeAll(async () => {
    cluster = await Cluster.start({ env: { TICK_TIME: '2000' } })
  })
  afterAll(() => cluster?.stop())

  /** Sets nodes of so many bytes, all at once, in rounds. */
  const write = async (client: Client, bytes: number, nodes: number, rounds: number) => {
    const data = new Uint8Array(bytes)
    const paths = Array.from({ length: nodes }, (_, nth) => `/large-${bytes}-${nth}`)
    await Promise.all(paths.map(async (path) => (await client.exists(path)) ?? client.create(path)))
    for (let round = 0; round < rounds; round++) {
      await Promise.all(paths.map((path) => client.set(path, data)))
    }
  }

  it('[D14] logs and checkpoints them in pieces that can be copied', async () => {
    const client = clientOf(1)
    await write(client, 1_000_000, 20, 3)
    await write(client, 32 * 1024, 480, 10)
    await cluster.kill9(3)
    await until('a write', () => client.set('/large-32768-0', new Uint8Array(1)))
    await write(client, 32 * 1024, 480, 1)
    await cluster.startInstance(3)
    await cluster.formed(3)
    const third = clientOf(3)
    await third.sync()
    expect((await third.get('/large-1000000-19')).data?.length).toBe(1_000_000)
    await third.close()
    await client.close()
    expectNoFailedCommit()
  }, 120_000)
})
