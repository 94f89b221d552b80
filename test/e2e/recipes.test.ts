/** The recipes against a running ensemble, by both ways in, each client on the member that chance gives it. */
import { afterAll, beforeAll } from 'vitest'
import { webSocket } from '../../src/client/index.ts'
import { tcp } from '../../src/client/node-tcp.ts'
import { recipeSuite } from '../recipes/suite.ts'
import { type Ensemble, startEnsemble } from '../support/ensemble.ts'

let ensemble: Ensemble
beforeAll(async () => {
  ensemble = await startEnsemble({ mode: 'serve', env: { TICK_TIME: '1000' } })
})
afterAll(() => ensemble?.stop())

const target = { minTimeoutMs: 2000, reaperMs: 60_000, release: '3.9' } as const

recipeSuite({
  ...target,
  name: 'our ensemble over TCP',
  url: () => ensemble.zkPorts.map((port) => `tcp://127.0.0.1:${port}`),
  transport: tcp,
})
recipeSuite({
  ...target,
  name: 'our ensemble over WebSocket',
  url: () => ensemble.webSocketUrl,
  transport: webSocket,
})
