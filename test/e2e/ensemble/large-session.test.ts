/** A session with very many ephemerals ends, and in the middle of that everything is killed. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { connect } from '../../../src/client/index.ts'
import { tcp } from '../../../src/client/node-tcp.ts'
import { worldAnyone } from '../../../src/core/tree/acl.ts'
import { createFlags } from '../../../src/core/wire/opcodes.ts'
import { type Ensemble, startEnsemble } from '../../support/ensemble.ts'
import { equalTrees } from '../../support/members.ts'
import { until } from '../../support/until.ts'
import { Session } from '../conformance/session.ts'

const count = 50_000
const perMulti = 1000

let ensemble: Ensemble
beforeAll(async () => {
  ensemble = await startEnsemble({ mode: 'serve', env: { TICK_TIME: '1000' } })
})
afterAll(() => ensemble?.stop())

/** The newest rows of the members' logs, as they are on their disks. */
function newestLogRows(): string {
  const folder = join(ensemble.dataDir, 'state/v3/do/durable-keeper-Member')
  const files = readdirSync(folder).filter((name) => /^[0-9a-f]{64}\.sqlite$/.test(name))
  return files
    .map((file) => {
      const database = new DatabaseSync(join(folder, file), { readOnly: true })
      const row = database
        .prepare("select max(key) as key from _cf_KV where key like 'log/%'")
        .get()
      database.close()
      return (row as { readonly key: string | null }).key ?? ''
    })
    .join()
}

it('W14 fifty thousand ephemerals of a session that ends go all at once or not yet, whatever dies in the middle', async () => {
  const owner = await Session.open(ensemble.zkPorts[0] ?? 0, { timeoutMs: 4000 })
  const root = await owner.create('/crowd')
  for (let at = 0; at < count; at += perMulti) {
    const creates = Array.from({ length: perMulti }, (_, n) => ({
      operation: 'create' as const,
      request: {
        path: `${root}/${at + n}`,
        data: null,
        acl: worldAnyone,
        flags: createFlags.ephemeral,
      },
    }))
    owner.sendMulti(creates)
  }
  for (let at = 0; at < count; at += perMulti) expect((await owner.next())?.err).toBe(0)
  const reader = connect(
    ensemble.zkPorts.map((port) => `tcp://127.0.0.1:${port}`),
    { transport: tcp, timeoutMs: 20_000 },
  )
  const left = (): Promise<number> => reader.getAllChildrenNumber(root)
  expect(await left()).toBe(count)
  const before = newestLogRows()
  owner.send('closeSession', undefined)
  // It is on somebody's disk, and nobody has said yet that it is committed: or just now.
  await until('it in a log', () => newestLogRows() !== before, { everyMs: 1 })
  await ensemble.kill9()
  await ensemble.start()
  // Where the end was lost the session ends by its timeout; whoever looks sees all of them or none.
  const seen = new Set<number>()
  await until(
    'none',
    async () => {
      const now = await left()
      seen.add(now)
      return now === 0
    },
    { everyMs: 5 },
  )
  expect([...seen].filter((now) => now !== 0 && now !== count)).toEqual([])
  expect((await reader.getChildren2(root)).stat.pzxid).toBeGreaterThan(0)
  await equalTrees(ensemble)
  owner.drop()
  await reader.close()
}, 180_000)
