/** Nine voters in three groups, of which one has no weight: who must be up for writes, and who leads. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Client, connect } from '../../../src/client/index.ts'
import { tcp } from '../../../src/client/node-tcp.ts'
import { type Ensemble, startEnsemble } from '../../support/ensemble.ts'
import { equalTrees, zabLines } from '../../support/members.ts'
import { until } from '../../support/until.ts'

const groups = [
  [1, 2, 3],
  [4, 5, 6],
  [7, 8, 9],
] as const

let ensemble: Ensemble
let client: Client
beforeAll(async () => {
  ensemble = await startEnsemble({
    members: 9,
    env: {
      GROUPS: groups.map((group) => group.join(':')).join(),
      WEIGHTS: '9=0',
      FINALIZE_WAIT: '20',
    },
  })
  client = connect(
    ensemble.zkPorts.slice(0, 3).map((port) => `tcp://127.0.0.1:${port}`),
    { transport: tcp, timeoutMs: 20_000, requestTimeoutMs: 2000 },
  )
})
afterAll(async () => {
  await client?.close()
  await ensemble?.stop()
})

const order = (what: 'stop' | 'start', sids: readonly number[]) =>
  Promise.all(sids.map((sid) => ensemble.admin('POST', `members/${sid}/${what}`)))
const aWrite = (): Promise<string> =>
  until('a write', () => client.create('/n-', { mode: 'persistentSequential' }))
const nobodyServes = (): Promise<true> =>
  until('nobody to serve', async () =>
    (await ensemble.members()).every(({ isServing }) => !isServing),
  ) as Promise<true>

it('Z14 nine members in three groups go on without one group, and not without two', async () => {
  await aWrite()
  const [, second, third] = groups
  await order('stop', third)
  const before = await aWrite()
  // A group is for it by most of its weight: one of three more may go.
  await order('stop', [second[0]])
  await aWrite()
  // Five of nine would be a majority; of the groups it is one.
  await order('start', [7])
  await order('stop', [second[1]])
  await nobodyServes()
  const lost = await client.create('/never').then(
    () => 'acknowledged',
    () => 'refused',
  )
  expect(lost).toBe('refused')
  await order('start', [...second, ...third])
  await ensemble.formed()
  await aWrite()
  expect(await client.exists(before)).toBeDefined()
  await equalTrees(ensemble)
}, 120_000)

it('Z14 who has no weight never leads', async () => {
  for (let round = 0; round < 5; round++) {
    const leader = await until('a leader', () => ensemble.leader())
    await ensemble.restartMember(leader)
    await ensemble.formed()
  }
  const leaders = zabLines(ensemble.logs).filter(({ line }) => line.startsWith('leading in epoch'))
  expect(leaders.length).toBeGreaterThan(5)
  // The highest number wins where all else is equal.
  expect(leaders.map(({ sid }) => sid)).toContain(8)
  expect(leaders.map(({ sid }) => sid)).not.toContain(9)
}, 60_000)
