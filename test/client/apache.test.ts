/** The suite against Apache's own server: what holds there is what the suite may ask of ours. */
import { afterAll, beforeAll, describe, test } from 'vitest'
import { tcp } from '../../src/client/node-tcp.ts'
import { isInstalled } from '../support/programs.ts'
import { startZooKeeper, type ZooKeeper } from '../support/zookeeper.ts'
import { clientSuite } from './suite.ts'

if (isInstalled.zooKeeper()) {
  describe('against Apache', () => {
    const tickTimeMs = 500
    const reaperMs = 500
    let server: ZooKeeper | undefined
    beforeAll(async () => {
      server = await startZooKeeper({
        tickTimeMs,
        properties: {
          'zookeeper.extendedTypesEnabled': 'true',
          'znode.container.checkIntervalMs': `${reaperMs}`,
        },
      })
    }, 60_000)
    afterAll(() => server?.stop())
    clientSuite({
      name: 'Apache ZooKeeper over TCP',
      url: () => `tcp://127.0.0.1:${server?.zkPorts[0]}`,
      transport: tcp,
      minTimeoutMs: 2 * tickTimeMs,
      reaperMs,
      release: '3.8',
    })
  })
} else {
  test.skip('Apache ZooKeeper is not installed here (Debian: apt-get install zookeeper)', () => {})
}
