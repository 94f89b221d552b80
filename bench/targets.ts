/** What is driven: Apache ZooKeeper, and ours by each way that leads to it; all with fsync, all on loopback. */
import { type Ensemble, type Mode, startEnsemble } from '../test/support/ensemble.ts'
import { familyOf } from '../test/support/family.ts'
import { isInstalled } from '../test/support/programs.ts'
import { fourLetterWord, startZooKeeper } from '../test/support/zookeeper.ts'
import { type Dial, dialTcp, dialWebSocket } from './links.ts'

export const targetNames = ['apache', 'serve', 'websocket', 'wrangler'] as const
export type TargetName = (typeof targetNames)[number]

export interface Target {
  readonly name: string
  /** A server with a session at each connection; an echo has none. */
  readonly greets: boolean
  /** Dials for the `nth` session: over the members by turns, followers first, because most sessions meet a follower. */
  dial(nth: number): Dial
  /** Of all processes that serve. */
  pids(): readonly number[]
}

export interface StartedTargets {
  readonly targets: readonly Target[]
  stop(): Promise<void>
}

const tickTimeMs = 2000

/** WebSocket sessions go to the same processes as `serve`’s. */
export async function startTargets(
  names: readonly TargetName[],
  members = 3,
): Promise<StartedTargets> {
  const stops: (() => Promise<void>)[] = []
  const stop = async (): Promise<void> => {
    for (const one of stops.splice(0)) await one()
  }
  const targets: Target[] = []
  const ensembles = new Map<Mode, Ensemble>()
  try {
    for (const name of names) {
      if (name === 'apache') {
        const apache = await startApache(members)
        stops.push(() => apache.stop())
        targets.push(await tcpTarget(name, apache.zkPorts, () => apache.pids))
        continue
      }
      const mode = name === 'wrangler' ? 'start' : 'serve'
      const ensemble = ensembles.get(mode) ?? (await startOurs(mode, members))
      if (!ensembles.has(mode)) stops.push(() => ensemble.stop())
      ensembles.set(mode, ensemble)
      targets.push(await ourTarget(name, ensemble))
    }
  } catch (error) {
    await stop()
    throw error
  }
  return { targets, stop }
}

export const startOurs = (mode: Mode, members: number): Promise<Ensemble> =>
  startEnsemble({ mode, members, env: { TICK_TIME: String(tickTimeMs) } })

export function startApache(members: number) {
  if (!isInstalled.zooKeeper()) {
    throw new Error('Apache ZooKeeper is not installed (Debian packages zookeeper and default-jre)')
  }
  // The heap that its own script gives it.
  return startZooKeeper({ members, tickTimeMs, heapMb: 1000 })
}

export async function ourTarget(
  name: Exclude<TargetName, 'apache'>,
  ensemble: Ensemble,
): Promise<Target> {
  const target = await tcpTarget(name, ensemble.zkPorts, () => familyOf(ensemble.pid))
  if (name !== 'websocket') return target
  const ports = await followersFirst(ensemble.zkPorts)
  const members = ports.map((port) => ensemble.zkPorts.indexOf(port) + 1)
  return {
    ...target,
    dial: (nth) =>
      dialWebSocket(`${ensemble.webSocketUrl}?member=${members[nth % members.length]}`),
  }
}

export async function tcpTarget(
  name: string,
  zkPorts: readonly number[],
  pids: () => readonly number[],
): Promise<Target> {
  const ports = await followersFirst(zkPorts)
  return {
    name,
    greets: true,
    dial: (nth) => dialTcp(ports[nth % ports.length] as number),
    pids,
  }
}

async function followersFirst(ports: readonly number[]): Promise<readonly number[]> {
  const told = await Promise.all(ports.map((port) => fourLetterWord(port, 'srvr')))
  const isLeader = told.map((text) => text.includes('Mode: leader'))
  if (ports.length > 1 && isLeader.filter(Boolean).length !== 1) {
    throw new Error(`one of ${ports.length} members should lead: ${told.join('\n')}`)
  }
  const leads = (port: number): number => Number(isLeader[ports.indexOf(port)])
  return [...ports].sort((a, b) => leads(a) - leads(b))
}
