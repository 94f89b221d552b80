/** The recipes on Apache's own server: what holds there is what the suite may ask of ours. */
import { afterAll, beforeAll, describe, test } from 'vitest'
import { tcp } from '../../src/client/node-tcp.ts'
import { isInstalled } from '../support/programs.ts'
import { startZooKeeper, type ZooKeeper } from '../support/zookeeper.ts'
import { recipeSuite } from './suite.ts'

if (isInstalled.zooKeeper()) {
  describe('against Apache', () => {
    let server: ZooKeeper | undefined
    beforeAll(async () => {
      server = await startZooKeeper({ tickTimeMs: 500 })
    }, 60_000)
    afterAll(() => server?.stop())
    recipeSuite({
      name: 'Apache ZooKeeper over TCP',
      url: () => `tcp://127.0.0.1:${server?.zkPorts[0]}`,
      transport: tcp,
      minTimeoutMs: 1000,
      reaperMs: 60_000,
      release: '3.8',
    })
  })
} else {
  test.skip('Apache ZooKeeper is not installed here (Debian: apt-get install zookeeper)', () => {})
}
