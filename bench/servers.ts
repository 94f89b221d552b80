/** An ensemble that is measured: Apache ZooKeeper or ours, all with fsync, all on loopback. */
import { type Ensemble, startEnsemble } from '../test/support/ensemble.ts'
import { familyOf } from '../test/support/family.ts'
import { isInstalled } from '../test/support/programs.ts'
import { until } from '../test/support/until.ts'
import { fourLetterWord, startZooKeeper, type ZooKeeper } from '../test/support/zookeeper.ts'

export const serverNames = ['apache', 'serve', 'wrangler'] as const
export type ServerName = (typeof serverNames)[number]

export interface Server {
  readonly name: ServerName
  /** Of the members, the first's first. */
  readonly zkPorts: readonly number[]
  /** Where a member takes WebSockets. */
  webSocketUrl(index: number): string
  pids(): readonly number[]
  /** Ends the leader without a word, on this member’s index; what it returns brings it back and waits until it serves. */
  killMember(index: number): Promise<() => Promise<void>>
  /** Kills everything with -9. What it returns starts it again, and resolves when all of it is there. */
  killAll(): Promise<() => Promise<void>>
  stop(): Promise<void>
}

const tickTimeMs = 2000

export const startServer = (name: ServerName, members: number): Promise<Server> =>
  name === 'apache' ? startApache(members) : startOurs(name, members)

/** The index of the member that leads, or is alone. */
export async function leaderOf(server: Pick<Server, 'zkPorts'>): Promise<number> {
  const told = await Promise.all(server.zkPorts.map((port) => fourLetterWord(port, 'srvr')))
  const leaders = told.flatMap((text, index) =>
    /Mode: (leader|standalone)/.test(text) ? [index] : [],
  )
  if (leaders.length !== 1) throw new Error(`${leaders.length} leaders:\n${told.join('\n')}`)
  return leaders[0] as number
}

async function startApache(members: number): Promise<Server> {
  if (!isInstalled.zooKeeper()) {
    throw new Error('Apache ZooKeeper is not installed (Debian packages zookeeper and default-jre)')
  }
  // The heap that its own script gives it.
  const apache: ZooKeeper = await startZooKeeper({ members, tickTimeMs, heapMb: 1000 })
  const everybody = apache.zkPorts.map((_, index) => index)
  const serves = (index: number): Promise<unknown> =>
    until(
      'a member of Apache ZooKeeper to serve',
      async () =>
        (await fourLetterWord(apache.zkPorts[index] as number, 'srvr')).includes('Mode: '),
      { withinMs: 120_000 },
    )
  const revive = async (indexes: readonly number[]): Promise<void> => {
    for (const index of indexes) apache.start(index)
    await Promise.all(indexes.map(serves))
  }
  return {
    name: 'apache',
    zkPorts: apache.zkPorts,
    webSocketUrl: () => {
      throw new Error('Apache ZooKeeper takes no WebSockets')
    },
    pids: () => apache.pids,
    async killMember(index) {
      await apache.kill(index)
      return () => revive([index])
    },
    async killAll() {
      await Promise.all(everybody.map((index) => apache.kill(index)))
      return () => revive(everybody)
    },
    stop: () => apache.stop(),
  }
}

async function startOurs(name: 'serve' | 'wrangler', members: number): Promise<Server> {
  const mode = name === 'wrangler' ? 'start' : 'serve'
  const ensemble: Ensemble = await startEnsemble({
    mode,
    members,
    env: { TICK_TIME: String(tickTimeMs) },
  })
  return {
    name,
    zkPorts: ensemble.zkPorts,
    webSocketUrl: (index) => `${ensemble.webSocketUrl}?member=${index + 1}`,
    pids: () => familyOf(ensemble.pid),
    // All members live in one process: the actor is what dies.
    async killMember(index) {
      await ensemble.restartMember(index + 1)
      return async () => void (await ensemble.formed())
    },
    async killAll() {
      await ensemble.kill9()
      return () => ensemble.start()
    },
    stop: () => ensemble.stop(),
  }
}
