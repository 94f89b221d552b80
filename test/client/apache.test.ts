/** The suite against Apache's own server: what holds there is what the suite may ask of ours. */
import { afterAll, beforeAll, describe, test } from 'vitest'
import { tcp } from '../../src/client/node-tcp.ts'
import {
  apacheIsInstalled,
  type ApacheZooKeeper,
  startApacheZooKeeper,
} from './apache-zookeeper.ts'
import { clientSuite } from './suite.ts'

if (apacheIsInstalled) {
  describe('against Apache', () => {
    const tickTimeMs = 500
    let server: ApacheZooKeeper
    beforeAll(async () => {
      server = await startApacheZooKeeper(tickTimeMs)
    }, 60_000)
    afterAll(() => server.stop())
    clientSuite({
      name: 'Apache ZooKeeper over TCP',
      url: () => `tcp://127.0.0.1:${server.port}`,
      transport: tcp,
      minTimeoutMs: 2 * tickTimeMs,
    })
  })
} else {
  test.skip('Apache ZooKeeper is not installed here (Debian: apt-get install zookeeper)', () => {})
}
