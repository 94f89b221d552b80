/** Three machines, one member on each: what is lost with one of them, for how long, and what comes back. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connect, type SessionTicket } from '../../src/client/index.ts'
import { tcp } from '../../src/client/node-tcp.ts'
import { canCluster, Cluster } from '../support/cluster.ts'
import { commandScript } from '../support/ensemble.ts'
import { until } from '../support/until.ts'

const secondsOf = (sinceMs: number): string => ((performance.now() - sinceMs) / 1000).toFixed(2)

describe.skipIf(!canCluster)('a cluster of three', () => {
  let cluster: Cluster
  beforeAll(async () => {
    cluster = await Cluster.start({ env: { TICK_TIME: '2000' } })
  })
  afterAll(() => cluster?.stop())

  const clientOf = (numbers: readonly number[], session?: SessionTicket) =>
    connect(
      numbers.map((number) => `tcp://127.0.0.1:${cluster.instance(number).zkPort}`),
      {
        transport: tcp,
        retryDelayMs: { first: 50, max: 200 },
        ...(session === undefined ? {} : { session }),
      },
    )

  /** A session begun on one instance, with an ephemeral of its name; `moved` goes on with it on others. */
  const guestOf = async (home: number, path: string, others: readonly number[]) => {
    const first = clientOf([home])
    await first.create(path, { mode: 'ephemeral' })
    const session = first.session
    if (session === undefined) throw new Error('no session')
    return { moved: () => clientOf(others, session), id: session.id }
  }

  it('[M1] has member N on instance N, whose port is the member’s', async () => {
    const members = await cluster.formed()
    expect(members.map(({ instance }) => instance)).toEqual([1, 2, 3])
    const clients = [1, 2, 3].map((number) => clientOf([number]))
    for (const [at, client] of clients.entries()) await client.create(`/by-${at}`)
    for (const client of clients) {
      await client.sync()
      expect(await client.getChildren('/')).toEqual(
        expect.arrayContaining(['by-0', 'by-1', 'by-2']),
      )
      await client.close()
    }
  })

  it('[M2] goes on at once when the leader’s machine dies, and gets its member back with everything', async () => {
    const leader = await leaderOf(cluster)
    const others = [1, 2, 3].filter((number) => number !== leader)
    const writer = clientOf(others)
    const begun = await guestOf(leader, '/guest', others)
    await writer.create('/kept', { data: '1' })

    await cluster.kill9(leader)
    const died = performance.now()
    await until('a write', () => writer.set('/kept', '2'), { everyMs: 10 })
    const tookMs = performance.now() - died
    console.log(`next write after the leader's machine died: ${tookMs.toFixed(0)} ms`)
    expect(tookMs).toBeLessThan(5000)

    // The actor of the guest's session was on that machine: it is to be had when the lease has run out.
    const guest = begun.moved()
    await until('the guest', () => guest.set('/kept', '3'), { everyMs: 100 })
    console.log(`a session that was at home there: ${secondsOf(died)} s`)
    expect((await guest.get('/guest')).stat.ephemeralOwner).toBe(begun.id)

    await cluster.startInstance(leader)
    const members = await cluster.formed(leader)
    console.log(`all three members again: ${secondsOf(died)} s`)
    expect(members.map(({ instance }) => instance)).toEqual([1, 2, 3])
    await sameEverywhere(cluster)
    // Who comes to that instance now does not go to the actor that moved away.
    const late = clientOf([leader])
    await late.sync()
    const placeOf = (id: bigint | undefined) => (id ?? 0n) >> 40n
    expect(placeOf(late.session?.id) >> 16n).toBe(BigInt(leader))
    expect(placeOf(late.session?.id)).not.toBe(placeOf(begun.id))
    await Promise.all([writer.close(), guest.close(), late.close()])
  }, 90_000)

  it('[M5] has its sessions elsewhere and its member again in seconds when only a process died', async () => {
    const leader = await leaderOf(cluster)
    const others = [1, 2, 3].filter((number) => number !== leader)
    const begun = await guestOf(leader, '/crashed', others)
    // Which lease it has is known a moment after its start.
    const note = join(cluster.instance(leader).dataDir, 'lease')
    await until('the note of its lease', () => Promise.resolve(existsSync(note)))
    const died = performance.now()
    await cluster.crash(leader)
    const guest = begun.moved()
    await until('the guest', () => guest.set('/kept', '5'), { everyMs: 50 })
    console.log(`a session of a process that died: ${secondsOf(died)} s`)
    expect((await guest.get('/crashed')).stat.ephemeralOwner).toBe(begun.id)
    await cluster.startInstance(leader)
    const members = await cluster.formed(leader)
    console.log(`all three members again: ${secondsOf(died)} s`)
    // A lease that runs out by itself takes 20.
    expect(performance.now() - died).toBeLessThan(15_000)
    expect(members.map(({ instance }) => instance)).toEqual([1, 2, 3])
    await guest.close()
  }, 60_000)

  it('[M3] hands its sessions over when it is stopped, and its member stays at home', async () => {
    const leader = await leaderOf(cluster)
    const others = [1, 2, 3].filter((number) => number !== leader)
    const begun = await guestOf(leader, '/handed', others)
    const since = performance.now()
    const stopping = cluster.stopInstance(leader)
    const guest = begun.moved()
    await until('the guest', () => guest.set('/kept', '4'), { everyMs: 10 })
    console.log(`a session of an instance that stops: ${secondsOf(since)} s`)
    expect(performance.now() - since).toBeLessThan(10_000)
    await stopping
    // The leader went with the instance: connections end in the election, whoever they were to.
    const { stat } = await until('a read', () => guest.get('/handed'), { everyMs: 10 })
    expect(stat.ephemeralOwner).toBe(begun.id)
    const [through = 1] = others
    expect((await cluster.members(through))[leader - 1]).toMatchObject({ role: 'down' })
    await cluster.startInstance(leader)
    const members = await cluster.formed(leader)
    expect(members.map(({ instance }) => instance)).toEqual([1, 2, 3])
    await guest.close()
  }, 60_000)
})

it('tells everything that is wrong with the settings of a cluster', () => {
  const { status, stderr } = spawnSync(process.execPath, [commandScript('serve')], {
    env: {
      ...process.env,
      INSTANCE: '4',
      CLUSTER_PEERS: 'here,10.0.0.2:7000',
      CLUSTER_BUCKET: 'bucket',
      CLUSTER_KEY: 'short',
    },
    encoding: 'utf8',
    timeout: 20_000,
  })
  expect({ status, stderr }).toEqual({
    status: 1,
    stderr: [
      'bad settings:',
      '  INSTANCE is "4": must be a whole number from 1 to 3',
      '  CLUSTER_PEERS is "here,10.0.0.2:7000": must be 3 times host:port',
      '  CLUSTER_BUCKET is "bucket": must be s3://… or gs://…',
      '  CLUSTER_KEY is a secret of at least 32 bytes',
      '',
    ].join('\n'),
  })
})

const leaderOf = async (cluster: Cluster): Promise<number> =>
  (await cluster.formed()).find(({ role }) => role === 'leader')?.sid ?? 0

/** [Z1] At one zxid, one digest. */
const sameEverywhere = (cluster: Cluster): Promise<unknown> =>
  until('one zxid and one digest', async () => {
    const members = await cluster.members(1)
    const states = new Set(members.map(({ zxid, digest }) => `${zxid} ${digest}`))
    return states.size === 1
  })
