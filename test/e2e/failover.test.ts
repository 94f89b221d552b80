/** Members die and come back while clients work: nothing acknowledged is lost, no session ends. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Client, connect } from '../../src/client/index.ts'
import { tcp } from '../../src/client/node-tcp.ts'
import { type Ensemble, startEnsemble } from '../support/ensemble.ts'
import { until } from '../support/until.ts'

const aborts = 20

describe('the leader is aborted again and again', () => {
  let ensemble: Ensemble
  const clients: Client[] = []
  beforeAll(async () => {
    ensemble = await startEnsemble({ env: { TICK_TIME: '1000' } })
    for (const port of ensemble.zkPorts) {
      clients.push(connect(`tcp://127.0.0.1:${port}`, { transport: tcp, timeoutMs: 10_000 }))
    }
    clients.push(connect(ensemble.webSocketUrl, { timeoutMs: 10_000 }))
  })
  afterAll(async () => {
    await Promise.all(clients.map((client) => client.close()))
    await ensemble?.stop()
  })

  it('keeps every acknowledged write, every session and every ephemeral', async () => {
    await Promise.all(clients.map((client) => client.ready()))
    const before = clients.map((client) => client.session?.id)
    await Promise.all(
      clients.map((client, at) => client.create(`/alive-${at}`, { mode: 'ephemeral' })),
    )
    await (clients[0] as Client).create('/log')
    const acknowledged: string[] = []
    const delaysMs: number[] = []
    for (let round = 0; round < aborts; round++) {
      const leader = await until('a leader', () => ensemble.leader())
      const writer = clients[round % clients.length] as Client
      await ensemble.restartMember(leader)
      const since = performance.now()
      acknowledged.push(
        await until(
          'an acknowledged write',
          () => writer.create('/log/n-', { mode: 'persistentSequential', data: String(round) }),
          { everyMs: 2 },
        ),
      )
      delaysMs.push(performance.now() - since)
    }
    const reader = clients[1] as Client
    await until('the reader back', () => reader.sync().then(() => true))
    const names = await reader.getChildren('/log')
    expect(acknowledged.filter((path) => !names.includes(path.slice('/log/'.length)))).toEqual([])
    for (const at of clients.keys()) expect(await reader.exists(`/alive-${at}`)).toBeDefined()
    for (const client of clients) await until('a client back', () => client.sync().then(() => true))
    expect(clients.map((client) => client.session?.id)).toEqual(before)
    await everyDigestIsEqual(ensemble)
    delaysMs.sort((a, b) => a - b)
    const [median, last] = [delaysMs[aborts / 2] ?? 0, delaysMs.at(-1) ?? 0]
    console.log(
      `next acknowledged write after ${aborts} leader aborts: ` +
        `median ${median.toFixed(0)} ms, slowest ${last.toFixed(0)} ms`,
    )
  }, 120_000)

  it('goes on for a WebSocket client without a word, its watches kept', async () => {
    const watcher = clients[3] as Client
    const writer = clients[0] as Client
    await writer.create('/watched')
    const states: string[] = []
    const stopListening = watcher.onState((state) => states.push(state))
    const told = new Promise((resolve) => {
      void watcher.exists('/watched', { watch: resolve })
    })
    await watcher.sync()
    for (const { sid } of await ensemble.members()) {
      await ensemble.restartMember(sid)
      await ensemble.formed()
    }
    await until('a write', () => writer.set('/watched', 'new'), { everyMs: 5 })
    expect(await told).toMatchObject({ type: 'dataChanged', path: '/watched' })
    expect(await watcher.exists('/watched')).toBeDefined()
    stopListening()
    expect(states).toEqual([])
  }, 60_000)
})

describe('ensembles of every size', () => {
  const sizes = [
    { members: 1, observers: 0 },
    { members: 3, observers: 0 },
    { members: 5, observers: 0 },
    { members: 5, observers: 2 },
  ]
  for (const { members, observers } of sizes) {
    it(`${members} members and ${observers} observers form, serve by each, and stop at a minority`, async () => {
      const ensemble = await startEnsemble({ members, observers, env: { TICK_TIME: '500' } })
      try {
        await servesByEach(ensemble)
        if (members > 1) await minorityAcknowledgesNothing(ensemble, members)
      } finally {
        await ensemble.stop()
      }
    }, 120_000)
  }
})

async function servesByEach(ensemble: Ensemble): Promise<void> {
  const reports = await ensemble.members()
  const isAlone = reports.length === 1
  expect(reports.filter(({ role }) => role === (isAlone ? 'standalone' : 'leader'))).toHaveLength(1)
  for (const [at, port] of ensemble.zkPorts.entries()) {
    const client = connect(`tcp://127.0.0.1:${port}`, { transport: tcp })
    await client.create(`/by-${at}`)
    for (let before = 0; before <= at; before++) {
      await client.sync()
      expect(await client.exists(`/by-${before}`)).toBeDefined()
    }
    await client.close()
  }
}

async function minorityAcknowledgesNothing(ensemble: Ensemble, members: number): Promise<void> {
  const client = connect(
    ensemble.zkPorts.map((port) => `tcp://127.0.0.1:${port}`),
    { transport: tcp, timeoutMs: 10_000 },
  )
  await client.create('/before')
  const stopped = Array.from({ length: Math.ceil(members / 2) }, (_, at) => members - at)
  for (const sid of stopped) await ensemble.admin('POST', `members/${sid}/stop`)
  let [attempts, acknowledged, isOver] = [0, 0, false]
  const trying = (async () => {
    while (!isOver) {
      attempts += 1
      await client.create('/in-between-', { mode: 'persistentSequential' }).then(
        () => (acknowledged += isOver ? 0 : 1),
        () => undefined,
      )
    }
  })()
  // Three seconds are many elections here; whatever could be acknowledged by a minority would be.
  await new Promise((resolve) => setTimeout(resolve, 3000))
  isOver = true
  expect(attempts).toBeGreaterThan(0)
  expect(acknowledged).toBe(0)
  for (const sid of stopped) await ensemble.admin('POST', `members/${sid}/start`)
  await ensemble.formed()
  await trying
  await until('a write', () => client.create('/after'), { everyMs: 50 })
  expect(await client.exists('/before')).toBeDefined()
  await everyDigestIsEqual(ensemble)
  await client.close()
}

async function everyDigestIsEqual(ensemble: Ensemble): Promise<void> {
  await until('equal trees at equal zxids', async () => {
    const reports = (await ensemble.members()) as unknown as { zxid: string; digest: string }[]
    const seen = new Set(reports.map(({ zxid, digest }) => `${zxid} ${digest}`))
    return seen.size === 1
  })
}
