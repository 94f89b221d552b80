/**
 * What the stock clients are pointed at. By default our two commands and a bridge; a test is checked itself by pointing it at Apache’s:
 *
 *     INTEROP=zookeeper npx vitest run --project e2e test/interop
 */
import { BridgeProcess } from '../support/bridge.ts'
import { startEnsemble } from '../support/ensemble.ts'
import { freePorts } from '../support/ports.ts'
import { startZooKeeper, type ZooKeeper } from '../support/zookeeper.ts'

/** Three members. */
export interface Target {
  readonly hosts: string
  readonly zkPorts: readonly number[]
  stop(): Promise<void>
}

/** Settings of the ensemble that a test depends on. */
export interface TargetSettings {
  readonly ENFORCE_QUOTA?: 'true'
}

type Starter = (settings?: TargetSettings) => Promise<Target>

const starters: Readonly<Record<string, Starter>> = {
  start: (settings = {}) => startEnsemble({ mode: 'start', env: { ...settings } }),
  serve: (settings = {}) => startEnsemble({ mode: 'serve', env: { ...settings } }),
  bridge: startBehindBridge,
  zookeeper: startThreeZooKeepers,
}

/** Apache’s own, that may do what ours does. */
export function startThreeZooKeepers({ ENFORCE_QUOTA }: TargetSettings = {}): Promise<ZooKeeper> {
  return startZooKeeper({
    members: 3,
    properties: {
      'zookeeper.extendedTypesEnabled': 'true',
      'zookeeper.enforceQuota': ENFORCE_QUOTA ?? 'false',
    },
  })
}

/** The ensemble believes the bridge whose clients are whose. */
const secret = { BRIDGE_SECRET: 'the-secret-of-the-interop-tests' }

/** The ensemble as a deployed one is reached: a port a member, each of them a bridge's. */
async function startBehindBridge(settings: TargetSettings = {}): Promise<Target> {
  const ensemble = await startEnsemble({ mode: 'serve', env: { ...settings, ...secret } })
  const zkPorts = await freePorts(3)
  const listen = zkPorts.flatMap((port, at) => ['--listen', `${port}=${at + 1}`])
  const bridge = await BridgeProcess.start(['--to', ensemble.webSocketUrl, ...listen], secret)
  return {
    hosts: zkPorts.map((port) => `127.0.0.1:${port}`).join(','),
    zkPorts,
    async stop() {
      await bridge.end()
      await ensemble.stop()
    },
  }
}

export const targets = (process.env['INTEROP'] ?? 'start,serve,bridge').split(',').map((name) => {
  const start = starters[name]
  if (start === undefined) throw new Error(`INTEROP names ${name}: no such target`)
  return { name, start }
})
