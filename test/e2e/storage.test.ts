/** A member's disk runs full: what adds is refused, everything else goes on, and room makes all well again. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Client, connect, ZooKeeperError } from '../../src/client/index.ts'
import { tcp } from '../../src/client/node-tcp.ts'
import { type Ensemble, startEnsemble } from '../support/ensemble.ts'
import { until } from '../support/until.ts'

let ensemble: Ensemble
beforeAll(async () => {
  // The disk of the tests is the machine's: its reserve is not what is tested here.
  ensemble = await startEnsemble({
    mode: 'serve',
    env: { STORAGE_LIMIT_MB: '8', COMMIT_LOG_COUNT: '1', DISK_RESERVE_MB: '0' },
  })
})
afterAll(() => ensemble?.stop())

const open = (): Client =>
  connect(
    ensemble.zkPorts.map((port) => `tcp://127.0.0.1:${port}`),
    { transport: tcp, timeoutMs: 10_000 },
  )

/** How a create went: `ok`, or the name of the refusal. */
const create = async (client: Client, path: string): Promise<string> => {
  try {
    await client.create(path, { data: 'x'.repeat(400_000) })
    return 'ok'
  } catch (fault) {
    if (fault instanceof ZooKeeperError) return fault.code
    throw fault
  }
}

interface Storage {
  readonly isFull: boolean
  readonly isDiskFull: boolean
}

const storages = async (): Promise<Storage[]> =>
  (await ensemble.members()).map((member) => (member as unknown as { storage: Storage }).storage)

it('[R10] refuses what adds at STORAGE_LIMIT_MB, reads and deletes go on, and room is enough', async () => {
  const client = open()
  const made: string[] = []
  const fate = await until('a refusal', async () => {
    const path = `/n${made.length}`
    const went = await create(client, path)
    if (went === 'ok') made.push(path)
    return went === 'ok' ? undefined : went
  })
  expect(fate).toBe('SystemError')
  expect(made.length).toBeGreaterThan(5)
  expect((await storages()).some(({ isFull }) => isFull)).toBe(true)
  expect(ensemble.logs).toContain('"event":"storage.full"')
  expect((await client.get(made[0] as string)).data?.length).toBe(400_000)
  const other = open()
  await other.sync()
  expect(await create(other, '/still')).toBe('SystemError')
  await other.close()
  for (const path of made.slice(2)) await client.delete(path)
  await until('room again', async () => (await create(client, '/again')) === 'ok')
  expect(ensemble.logs).toContain('"event":"storage.free"')
  await client.close()
})

it('[R10] refuses what adds while whoever started it sees the disk full', async () => {
  const client = open()
  await client.create('/small')
  await ensemble.admin('POST', 'disk/full')
  await until(
    'a refusal',
    async () => (await create(client, '/more').catch(() => 'lost')) === 'SystemError',
  )
  expect((await storages()).every(({ isDiskFull }) => isDiskFull)).toBe(true)
  await client.delete('/small')
  // The launcher, which sees that there is room, puts it right by itself.
  await until(
    'room again',
    async () => (await create(client, '/more').catch(() => 'lost')) === 'ok',
  )
  expect((await storages()).some(({ isDiskFull }) => isDiskFull)).toBe(false)
  await client.close()
})
