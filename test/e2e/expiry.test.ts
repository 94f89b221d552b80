/** A client that goes silent loses its session on time, with everything that was bound to it, and nobody else does. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Client, connect } from '../../src/client/index.ts'
import { tcp } from '../../src/client/node-tcp.ts'
import { encode } from '../../src/core/jute/codec.ts'
import { CreateRequest } from '../../src/core/jute/records.ts'
import { worldAnyone } from '../../src/core/tree/acl.ts'
import { createFlags, opcodes } from '../../src/core/wire/opcodes.ts'
import { type Ensemble, startEnsemble } from '../support/ensemble.ts'
import { until } from '../support/until.ts'
import { RawClient, request } from './raw-client.ts'

const tickMs = 1000
const timeoutMs = 4000

let ensemble: Ensemble
let watcher: Client
beforeAll(async () => {
  ensemble = await startEnsemble({ env: { TICK_TIME: String(tickMs) } })
  watcher = connect(`tcp://127.0.0.1:${ensemble.zkPorts[1]}`, { transport: tcp })
  for (const parent of ['/a', '/b', '/c']) await watcher.create(parent)
})
afterAll(async () => {
  await watcher?.close()
  await ensemble?.stop()
})

it('expires within timeout + 2 ticks; all ephemerals vanish at one zxid; its connection is closed', async () => {
  const silent = await silentSession()
  const since = performance.now()
  const tookMs = await untilGone(since)
  expect(tookMs).toBeGreaterThanOrEqual(timeoutMs)
  expect(tookMs).toBeLessThan(timeoutMs + 2 * tickMs)
  await vanishedAtOnce()
  expect(await silent.frame()).toBeUndefined()
  console.log(`a silent session of ${timeoutMs} ms expired after ${tookMs.toFixed(0)} ms`)
}, 30_000)

it('expires on time although its member restarted meanwhile', async () => {
  const silent = await silentSession()
  const since = performance.now()
  await ensemble.restartMember(1)
  const tookMs = await untilGone(since)
  expect(tookMs).toBeGreaterThanOrEqual(timeoutMs - 100)
  expect(tookMs).toBeLessThan(timeoutMs + 2 * tickMs)
  await vanishedAtOnce()
  silent.destroy()
}, 30_000)

async function silentSession(): Promise<RawClient> {
  const silent = await RawClient.open(ensemble.zkPorts[0] ?? 0, timeoutMs)
  for (const [at, parent] of ['/a', '/b', '/c'].entries()) {
    const body = {
      path: `${parent}/ephemeral`,
      data: null,
      acl: worldAnyone,
      flags: createFlags.ephemeral,
    }
    silent.send(request(at + 1, opcodes.create.code, encode(CreateRequest, body)))
    await silent.frame()
  }
  await watcher.sync()
  expect(await watcher.exists('/c/ephemeral')).toBeDefined()
  return silent
}

async function untilGone(since: number): Promise<number> {
  await until(
    'the ephemeral to vanish',
    async () => (await watcher.exists('/a/ephemeral')) === undefined,
    {
      everyMs: 20,
    },
  )
  return performance.now() - since
}

async function vanishedAtOnce(): Promise<void> {
  const zxids = new Set<number>()
  for (const parent of ['/a', '/b', '/c']) {
    const { children, stat } = await watcher.getChildren2(parent)
    expect(children).toEqual([])
    zxids.add(stat.pzxid)
  }
  expect(zxids.size).toBe(1)
}
