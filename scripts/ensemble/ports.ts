import { createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { bareHost, ownPeer } from './cluster.ts'
import type { Options } from './options.ts'

/** Refuses to start on a port that somebody has; a process that is just ending gets a second to let go of it. */
export async function requireFreePorts(options: Options): Promise<void> {
  const { bindAddress, httpPort, zkPorts, cluster } = options
  const peer = cluster && ownPeer(cluster)
  const wanted = [
    { port: httpPort, name: 'HTTP_PORT', address: bindAddress },
    ...zkPorts.map((port) => ({ port, name: 'ZK_PORT', address: bindAddress })),
    ...(peer === undefined
      ? []
      : [peer.port, peer.port + 1].map((port) => ({
          port,
          name: 'CLUSTER_PEERS',
          address: bareHost(peer),
        }))),
  ]
  for (const { port, name, address } of wanted) {
    for (let triesLeft = 10; !(await isFree(port, address)); triesLeft -= 1) {
      if (triesLeft === 0) {
        throw new PortTaken(`port ${port} is taken: set ${name} to another one`)
      }
      await delay(100)
    }
  }
}

export class PortTaken extends Error {
  override readonly name = 'PortTaken'
}

export const isFree = (port: number, address: string): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, address, () => server.close(() => resolve(true)))
  })
