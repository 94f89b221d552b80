/** The members change under the eyes of clients. */
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Client, connect, ZooKeeperError } from '../../src/client/index.ts'
import { tcp } from '../../src/client/node-tcp.ts'
import { type Ensemble, startEnsemble } from '../support/ensemble.ts'
import { until } from '../support/until.ts'
import { fourLetterWord } from '../support/zookeeper.ts'

const superDigest = `super:${createHash('sha1').update('super:secret').digest('base64')}`
const env = {
  RECONFIG_ENABLED: 'true',
  ADVERTISED_HOST: '127.0.0.1',
  SUPER_DIGEST: superDigest,
  FOUR_LETTER_WORDS: '*',
}
const open: Client[] = []
const text = (data: Uint8Array | null): string => new TextDecoder().decode(data ?? undefined)

afterAll(() => Promise.all(open.map((client) => client.close())))

async function clientOf(ports: readonly number[]): Promise<Client> {
  const urls = ports.map((port) => `tcp://127.0.0.1:${port}`)
  const client = connect(urls, { transport: tcp, timeoutMs: 10_000 })
  open.push(client)
  await client.addAuth('digest', 'super:secret')
  return client
}

const modeAt = async (port: number): Promise<string | undefined> =>
  /Mode: (\w+)/.exec(await fourLetterWord(port, 'srvr'))?.[1]

const refusalOf = (asked: Promise<unknown>): Promise<string> =>
  asked.then(
    () => 'granted',
    (fault: unknown) => (fault instanceof ZooKeeperError ? fault.code : String(fault)),
  )

describe('three members and room for two', () => {
  let ensemble: Ensemble
  let client: Client
  const portOf = (sid: number): number => ensemble.zkPorts[sid - 1] ?? 0
  const server = (sid: number, role = 'participant'): string =>
    `server.${sid}=member-${sid}:2888:3888:${role};127.0.0.1:${portOf(sid)}`
  const listOf = async (): Promise<string[]> =>
    text((await client.getConfig()).data)
      .split('\n')
      .filter((line) => line.startsWith('server.'))

  /** Clients on every port write and read back, all of them the same. */
  const expectOneEnsemble = async (sids: readonly number[]): Promise<void> => {
    const written = `/of-${sids.join('-')}`
    const path = await client.create(`${written}-`, { mode: 'persistentSequential' })
    for (const sid of sids) {
      const there = await clientOf([portOf(sid)])
      await there.sync(path)
      expect(await there.exists(path), `member ${sid}`).toBeDefined()
      await there.create(`${path}/${sid}`)
    }
    expect((await client.getChildren(path)).toSorted()).toEqual(sids.map(String).toSorted())
  }

  beforeAll(async () => {
    ensemble = await startEnsemble({ spares: 2, env })
    client = await clientOf(ensemble.zkPorts.slice(0, 3))
  })
  afterAll(() => ensemble.stop())

  it('[G5] a member that sleeps is woken, added, and its watchers are told', async () => {
    const events: string[] = []
    const before = await client.getConfig({
      watch: ({ type, path }) => events.push(`${type} ${path}`),
    })
    const { data, stat } = await client.reconfig({ joining: [server(4)] })
    expect(text(data)).toBe(
      [...[1, 2, 3, 4].map((sid) => server(sid)), `version=${stat.mzxid.toString(16)}`].join('\n'),
    )
    expect(stat.mzxid).toBeGreaterThan(before.stat.mzxid)
    await until('the watch', () => events.length > 0)
    expect(events).toEqual(['dataChanged /zookeeper/config'])
    await until('member 4 to follow', async () => (await modeAt(portOf(4))) === 'follower')
    await expectOneEnsemble([1, 2, 3, 4])
  })

  it('[G5] roles change both ways, and clients of that member come back', async () => {
    await client.reconfig({ joining: [server(1, 'observer')] })
    await until('member 1 to observe', async () => (await modeAt(portOf(1))) === 'observer')
    expect(await listOf()).toContain(server(1, 'observer'))
    await client.reconfig({ joining: [server(1)] })
    await until('member 1 to follow', async () => (await modeAt(portOf(1))) === 'follower')
    await expectOneEnsemble([1, 2, 3, 4])
  })

  it('[G5] a removed leader hands over, and no write that was acknowledged is lost', async () => {
    const leader = (await ensemble.leader()) ?? 0
    const other = await clientOf([1, 2, 3, 4].filter((sid) => sid !== leader).map(portOf))
    await other.create('/acked')
    let [acked, isOver] = [0, false]
    const writing = (async () => {
      while (!isOver) {
        const path = await other
          .create('/acked/n-', { mode: 'persistentSequential' })
          .catch(() => undefined)
        if (path !== undefined) acked += 1
      }
    })()
    await until('some writes', () => acked > 5)
    // The leader’s own word may be lost with its connection, as in any election.
    await client.reconfig({ leaving: [leader] }).catch(() => undefined)
    await until('another leader', async () => {
      const now = await ensemble.leader()
      return now !== undefined && now !== leader
    })
    const at = acked
    await until('writes to go on', () => acked > at + 5)
    isOver = true
    await writing
    await client.sync('/acked')
    expect((await client.getChildren('/acked')).length).toBeGreaterThanOrEqual(acked)
    expect(await listOf()).toHaveLength(3)
    expect(await modeAt(portOf(leader))).toBe('follower')
    await expectOneEnsemble([1, 2, 3, 4])
    await client.reconfig({ joining: [server(leader)] })
  })

  it('[G1] refuses over the wire what the leader refuses', async () => {
    const nobody = connect(`tcp://127.0.0.1:${portOf(2)}`, { transport: tcp })
    open.push(nobody)
    expect(await refusalOf(nobody.reconfig({ leaving: [1] }))).toBe('NoAuth')
    expect(await refusalOf(client.reconfig({ leaving: [1], version: 7 }))).toBe('BadVersion')
    expect(await refusalOf(client.reconfig({ members: [server(1)] }))).toBe('BadArguments')
  })

  it('[G6] who must be awake first is woken by the refusal', async () => {
    const members = [4, 5].map((sid) => server(sid))
    await until('a second try', async () => {
      const fate = await refusalOf(client.reconfig({ members }))
      expect(['NewConfigNoQuorum', 'ConnectionLoss', 'granted']).toContain(fate)
      return fate !== 'NewConfigNoQuorum'
    })
    await until('4 or 5 to lead', async () => [4, 5].includes((await ensemble.leader()) ?? 0))
    await expectOneEnsemble([1, 2, 3, 4, 5])
    await client.reconfig({ members: [1, 2, 3, 4, 5].map((sid) => server(sid)) })
  })

  it('[G3] the members survive the death of all, whatever the settings say', async () => {
    const before = await listOf()
    expect(before).toHaveLength(5)
    await ensemble.kill9()
    await ensemble.restart()
    client = await clientOf(ensemble.zkPorts)
    expect(await listOf()).toEqual(before)
    await until('all five', async () =>
      (await ensemble.members()).every(({ isServing }) => isServing),
    )
    expect((await ensemble.members()).map(({ sid }) => sid)).toEqual([1, 2, 3, 4, 5])
    expect(ensemble.logs).toContain('member.settings_differ')
  })
})
