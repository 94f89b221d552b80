/** The whole process is killed with no time to say anything, under write load, and started again on the same disk. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Client, connect } from '../../src/client/index.ts'
import { tcp } from '../../src/client/node-tcp.ts'
import { type Ensemble, startEnsemble } from '../support/ensemble.ts'
import { until } from '../support/until.ts'

let ensemble: Ensemble
beforeAll(async () => {
  ensemble = await startEnsemble({
    mode: 'serve',
    env: { TICK_TIME: '1000', MAX_SESSION_TIMEOUT: '30000' },
  })
})
afterAll(() => ensemble?.stop())

it('keeps every acknowledged write over kill -9, goes on with its zxids, and sessions resume', async () => {
  const keeper = open(20_000)
  await keeper.create('/kept', { mode: 'ephemeral' })
  await keeper.create('/log')
  const left = open(4000)
  await left.create('/left', { mode: 'ephemeral' })
  const keptId = keeper.session?.id
  const acknowledged = new Set<string>()
  let newestZxid = 0
  for (let round = 0; round < 3; round++) {
    const writers = Array.from({ length: 10 }, () => open(20_000))
    const work = writers.map((writer) => writeUntilCut(writer, acknowledged))
    const enough = acknowledged.size + 300
    await until('writes under way', () => acknowledged.size > enough)
    if (round === 0) left.leave()
    await ensemble.kill9()
    await ensemble.start()
    await Promise.all(work)
    await until('the keeper back', () => keeper.sync().then(() => true))
    expect(keeper.session?.id).toBe(keptId)
    expect(await keeper.exists('/kept')).toBeDefined()
    const { children, stat } = await keeper.getChildren2('/log')
    const found = new Set(children)
    expect([...acknowledged].filter((path) => !found.has(path.slice('/log/'.length)))).toEqual([])
    expect(stat.pzxid).toBeGreaterThan(newestZxid)
    newestZxid = stat.pzxid
    await Promise.all(writers.map((writer) => writer.close()))
  }
  await until('the session that nobody resumed to expire', async () => {
    return (await keeper.exists('/left')) === undefined
  })
  console.log(
    `kill -9 three times under load: ${acknowledged.size} acknowledged writes, none missing`,
  )
  await keeper.close()
}, 180_000)

function open(timeoutMs: number): Client {
  const urls = ensemble.zkPorts.map((port) => `tcp://127.0.0.1:${port}`)
  return connect(urls, { transport: tcp, timeoutMs })
}

/** Writes without pause until a write fails; remembers what was acknowledged. */
async function writeUntilCut(client: Client, acknowledged: Set<string>): Promise<void> {
  try {
    for (;;) {
      acknowledged.add(await client.create('/log/n-', { mode: 'persistentSequential', data: 'x' }))
    }
  } catch {
    // The kill: whether this last write took effect nobody knows.
  }
}
