import { fourLetterWord, startZooKeeper } from '../support/zookeeper.ts'
import { until } from '../support/until.ts'
import type { Machines } from './machines.ts'

const tickTimeMs = 2000

/** Three processes of Apache ZooKeeper, from Debian's package. */
export async function zooKeeperMachines(): Promise<Machines> {
  const zooKeeper = await startZooKeeper({ members: 3, tickTimeMs })
  const { zkPorts } = zooKeeper
  const answers = (): Promise<readonly string[]> =>
    Promise.all(zkPorts.map((port) => fourLetterWord(port, 'srvr')))
  const leader = async (): Promise<number | undefined> => {
    const at = (await answers()).findIndex((answer) => answer.includes('Mode: leader'))
    return at < 0 ? undefined : at + 1
  }
  const signal = (server: number, name: NodeJS.Signals): void => {
    process.kill(zooKeeper.pids[server - 1] ?? 0, name)
  }
  return {
    name: 'Apache ZooKeeper 3.8, 3 processes',
    ports: zkPorts,
    processes: [1, 2, 3],
    tickTimeMs,
    leader,
    processOf: (member) => member,
    kill9: (server) => zooKeeper.kill(server - 1),
    start: (server) => Promise.resolve(zooKeeper.start(server - 1)),
    freeze: (server) => signal(server, 'SIGSTOP'),
    thaw: (server) => signal(server, 'SIGCONT'),
    async formed() {
      await until(
        'every server to serve',
        async () => (await answers()).every((answer) => answer.includes('Mode: ')),
        { withinMs: 120_000, everyMs: 200 },
      )
    },
    // Its digest is no word's answer: zxids alone are compared.
    states: async () =>
      (await answers()).map((answer) => ({
        zxid: /Zxid: (\S+)/.exec(answer)?.[1] ?? '',
        digest: '',
      })),
    logs: () => '',
    end: () => zooKeeper.stop(),
  }
}
