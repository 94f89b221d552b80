/**
 * One member on each of three machines that die, and freeze in the middle of what they do: what is true between a leader's
 * log and its commit.
 */
import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Client, connect, ZooKeeperError } from '../../../src/client/index.ts'
import { tcp } from '../../../src/client/node-tcp.ts'
import { SmallDisk } from '../../chaos/small-disk.ts'
import { canCluster, Cluster, type ClusterMember } from '../../support/cluster.ts'
import { zabLines } from '../../support/members.ts'
import { until } from '../../support/until.ts'

const superDigest = `super:${createHash('sha1').update('super:secret').digest('base64')}`

describe.skipIf(!canCluster)('three machines', () => {
  let cluster: Cluster
  let open: Client[] = []
  const disks = new Map<number, SmallDisk>()
  beforeAll(async () => {
    cluster = await Cluster.start({
      env: { TICK_TIME: '1000', RECONFIG_ENABLED: 'true', SUPER_DIGEST: superDigest },
      prepare(number, folder) {
        const disk = SmallDisk.at(folder)
        if (disk !== undefined) disks.set(number, disk)
      },
    })
  })
  afterAll(async () => {
    await Promise.all([1, 2, 3].map((number) => cluster?.kill9(number)))
    for (const disk of disks.values()) disk.unmount()
    await cluster?.stop()
  })
  afterEach(async () => {
    thaw(...[1, 2, 3].filter((number) => cluster.pidOf(number) !== undefined))
    await Promise.all(open.map((client) => client.close()))
    open = []
  })

  const clientOf = (...numbers: readonly number[]): Client => {
    const client = connect(
      numbers.map((number) => `tcp://127.0.0.1:${cluster.instance(number).zkPort}`),
      { transport: tcp, timeoutMs: 20_000, retryDelayMs: { first: 50, max: 200 } },
    )
    open.push(client)
    return client
  }
  /** The leader, and the two that follow. */
  const roles = async (): Promise<readonly [number, number, number]> => {
    const members = await cluster.formed()
    const leader = members.find(({ role }) => role === 'leader')?.sid ?? 0
    const [one = 0, two = 0] = [1, 2, 3].filter((number) => number !== leader)
    return [leader, one, two]
  }
  const signal = (name: NodeJS.Signals, ...numbers: readonly number[]): void => {
    for (const number of numbers) process.kill(cluster.pidOf(number) ?? 0, name)
  }
  const freeze = (...numbers: readonly number[]) => signal('SIGSTOP', ...numbers)
  const thaw = (...numbers: readonly number[]) => signal('SIGCONT', ...numbers)
  const killAll = () => Promise.all([1, 2, 3].map((number) => cluster.kill9(number)))
  const startThese = (...numbers: readonly number[]) =>
    Promise.all(numbers.map((number) => cluster.startInstance(number)))
  /** Waits until these serve under one of them, and answers which. */
  const leading = (...numbers: readonly [number, ...number[]]): Promise<number> =>
    until(
      'a leader of those that are up',
      async () => {
        const members = (await cluster.members(numbers[0])).filter(({ sid }) =>
          numbers.includes(sid),
        )
        const isWhole = members.every(({ isServing }) => isServing)
        return isWhole && members.find(({ role }) => role === 'leader')?.sid
      },
      { withinMs: 60_000 },
    )
  const equalTrees = (): Promise<readonly ClusterMember[]> =>
    until('one zxid and one digest', async () => {
      const members = await cluster.formed()
      return new Set(members.map(({ zxid, digest }) => `${zxid} ${digest}`)).size === 1 && members
    })
  /** The newest row of a member's log, as it is on its disk. */
  const newestLogRow = (number: number): string | undefined => {
    const folder = join(cluster.instance(number).dataDir, 'cluster/durable-keeper-Member')
    const [file = ''] = readdirSync(folder).filter((name) => /^[0-9a-f]{64}\.sqlite$/.test(name))
    const database = new DatabaseSync(join(folder, file), { readOnly: true })
    const row = database.prepare("select max(key) as key from _cf_KV where key like 'log/%'").get()
    database.close()
    return (row as { readonly key: string | null }).key ?? undefined
  }
  /** How a leader brought another member to its own history, since its log was as long as `from`. */
  const remediesOf = (learner: number, from: readonly number[]): readonly (string | undefined)[] =>
    cluster.instances.flatMap(({ output }, at) =>
      zabLines(output.join('').slice(from[at])).flatMap(
        ({ line }) => new RegExp(`^${learner} is at \\S+ (DIFF|TRUNC|SNAP)`).exec(line)?.[1] ?? [],
      ),
    )
  const printed = (): readonly number[] =>
    cluster.instances.map(({ output }) => output.join('').length)

  /**
   * The leader logs the creation of a node and nobody else ever hears of it, for the others are frozen; then every machine
   * loses its power. The client remembers what it was told.
   */
  async function dieBetweenLogAndCommit(
    path: string,
    fates: string[],
  ): Promise<readonly [number, number, number]> {
    const [leader, ...followers] = await roles()
    const client = clientOf(leader)
    await client.ready()
    await equalTrees()
    freeze(...followers)
    const before = newestLogRow(leader)
    client.create(path).then(
      () => fates.push('acknowledged'),
      () => fates.push('not known'),
    )
    await until('it in the log', () => newestLogRow(leader) !== before)
    await killAll()
    return [leader, ...followers]
  }

  it('Z06 Z09 what a leader logged alone is dropped where the others went on without it, by a TRUNC', async () => {
    const first = clientOf(1, 2, 3)
    await first.create('/base')
    await first.close()
    const fates: string[] = []
    const [leader, ...followers] = await dieBetweenLogAndCommit('/unheard-of', fates)
    await startThese(...followers)
    await leading(...followers)
    await until('a write', () => clientOf(...followers).create('/instead'))
    const from = printed()
    await startThese(leader)
    await equalTrees()
    expect(remediesOf(leader, from)).toContain('TRUNC')
    // What memory knows is not yet what the disk has.
    await cluster.admin(leader, 'POST', `members/${leader}/restart`)
    await equalTrees()
    for (const number of [leader, ...followers]) {
      const reader = clientOf(number)
      await reader.sync()
      const children = await reader.getChildren('/')
      expect(children).toEqual(expect.arrayContaining(['base', 'instead']))
      expect(children).not.toContain('unheard-of')
    }
    expect(fates).toEqual(['not known'])
  }, 120_000)

  it('Z16 a follower that is too slow is dropped; when it is back it gets what it lacks', async () => {
    const [leader, other, slow] = await roles()
    const client = clientOf(leader, other)
    const path = await client.create('/slow')
    const from = printed()
    freeze(slow)
    const linesOf = (number: number): readonly string[] =>
      zabLines(
        cluster
          .instance(number)
          .output.join('')
          .slice(from[number - 1]),
      ).map(({ line }) => line)
    await until('it dropped', async () => {
      await client.set(path, 'on and on')
      return linesOf(leader).some((line) => line.startsWith(`drops ${slow}: `))
    })
    thaw(slow)
    await until('it to be back', async () => {
      // One whose lease ran out meanwhile has ended by itself.
      if (cluster.pidOf(slow) === undefined) await cluster.startInstance(slow)
      return equalTrees()
    })
    expect(remediesOf(slow, from).at(-1)).toBe('DIFF')
    expect(new TextDecoder().decode((await clientOf(slow).get(path)).data ?? undefined)).toBe(
      'on and on',
    )
  }, 120_000)

  it('Z16 a follower whose disk is full holds nobody up, and catches up when there is room', async (context) => {
    if (disks.size < 3) return context.skip('no disk can be mounted here')
    const [leader, other, full] = await roles()
    const client = clientOf(leader, other)
    const path = await client.create('/room')
    const from = printed()
    disks.get(full)?.fill(true)
    const data = new Uint8Array(10_000)
    const told = (): string =>
      cluster
        .instance(full)
        .output.join('')
        .slice(from[full - 1])
    await until('it to feel that', async () => {
      await client.set(path, data).catch(() => undefined)
      return told().includes('No space left on device')
    })
    const before = await until('a write', () => client.set(path, data))
    for (let at = 0; at < 50; at++) await until('a write', () => client.set(path, data))
    disks.get(full)?.fill(false)
    await until('it to be back', async () => {
      if (cluster.pidOf(full) === undefined) await cluster.startInstance(full)
      return equalTrees()
    })
    const there = clientOf(full)
    const { stat } = await until('a read', () => there.get(path))
    expect(stat.version).toBeGreaterThanOrEqual(before.version + 50)
  }, 120_000)

  it('G09 G12 a change of the members needs a quorum of the old and of the new ones; a second one meanwhile is refused', async () => {
    const [leader, staying, leaving] = await roles()
    const client = clientOf(leader)
    await client.addAuth('digest', 'super:secret')
    const reader = clientOf(leader)
    const configOf = async (): Promise<string> =>
      new TextDecoder().decode((await reader.get('/zookeeper/config')).data ?? undefined)
    const before = await configOf()
    const logged = newestLogRow(leader)
    // Of the old three the leader and the one that leaves are most; of the new two each is needed.
    freeze(staying)
    let isDone = false
    const change = client.reconfig({ leaving: [leaving] }).finally(() => (isDone = true))
    await until('it on both disks', () => {
      const rows = [leader, leaving].map((number) => newestLogRow(number))
      return rows.every((row) => row !== logged && row === rows[0])
    })
    const second = client.reconfig({ leaving: [staying] }).then(
      () => 'granted',
      (fault: unknown) => (fault instanceof ZooKeeperError ? fault.code : String(fault)),
    )
    for (let reads = 0; reads < 50; reads++) expect(await configOf()).toBe(before)
    expect(isDone).toBe(false)
    thaw(staying)
    await change
    // Of several faults that it is one too many comes first.
    expect(await second).toBe('ReconfigInProgress')
    expect(await configOf()).not.toBe(before)
    expect(await configOf()).not.toContain(`server.${leaving}=`)
    const members = before
      .split('\n')
      .filter((line) => line.startsWith('server.'))
      .map((line, at) => `${line.replace(/;.*/, '')};127.0.0.1:${cluster.instance(at + 1).zkPort}`)
    await client.reconfig({ members })
    await equalTrees()
  }, 60_000)
})
