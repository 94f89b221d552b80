/** The client's whole suite against a running ensemble, by both ways in. */
import { afterAll, beforeAll } from 'vitest'
import { webSocket } from '../../src/client/index.ts'
import { tcp } from '../../src/client/node-tcp.ts'
import { clientSuite } from '../client/suite.ts'
import { type Ensemble, startEnsemble } from '../support/ensemble.ts'

let ensemble: Ensemble
beforeAll(async () => {
  ensemble = await startEnsemble({
    mode: 'serve',
    env: { TICK_TIME: '1000', CONTAINER_CHECK_INTERVAL_MS: '500' },
  })
})
afterAll(() => ensemble?.stop())

clientSuite({
  name: 'our ensemble over TCP',
  url: () => `tcp://127.0.0.1:${ensemble.zkPorts[0]}`,
  transport: tcp,
  minTimeoutMs: 2000,
  reaperMs: 500,
  release: '3.9',
})
clientSuite({
  name: 'our ensemble over WebSocket',
  url: () => ensemble.webSocketUrl,
  transport: webSocket,
  minTimeoutMs: 2000,
  reaperMs: 500,
  release: '3.9',
})
