import { Cluster } from '../support/cluster.ts'
import { until } from '../support/until.ts'
import { SmallDisk } from './small-disk.ts'
import type { Machines } from './machines.ts'

const tickTimeMs = 2000

export async function clusterMachines(): Promise<Machines> {
  const disks = new Map<number, SmallDisk>()
  const cluster = await Cluster.start({
    env: { TICK_TIME: String(tickTimeMs) },
    prepare(number, folder) {
      const disk = SmallDisk.at(folder)
      if (disk !== undefined) disks.set(number, disk)
    },
  })
  const numbers = cluster.instances.map(({ number }) => number)
  /** What any instance says that answers. */
  const members = async () => {
    for (const through of numbers) {
      if (cluster.pidOf(through) === undefined) continue
      try {
        return await cluster.members(through)
      } catch {
        // Frozen or just dying: the next one.
      }
    }
    return []
  }
  const signal = (number: number, name: NodeJS.Signals): void => {
    const pid = cluster.pidOf(number)
    if (pid !== undefined) process.kill(pid, name)
  }
  return {
    name: 'cluster of 3',
    ports: cluster.instances.map(({ zkPort }) => zkPort),
    processes: numbers,
    tickTimeMs,
    leader: async () => (await members()).find(({ role }) => role === 'leader')?.sid,
    processOf: (member) => member,
    kill9: (number) => cluster.kill9(number),
    stop: (number) => cluster.stopInstance(number),
    start: (number) => cluster.startInstance(number),
    freeze: (number) => signal(number, 'SIGSTOP'),
    thaw: (number) => signal(number, 'SIGCONT'),
    abortMember: async (member) => {
      await cluster.admin(member, 'POST', `members/${member}/restart`)
    },
    ...(disks.size === 0
      ? {}
      : { fillDisk: (number: number, isFull: boolean) => disks.get(number)?.fill(isFull) }),
    freezeBucket: (isFrozen) => cluster.freezeBucket(isFrozen),
    async formed() {
      // One that thawed after its lease has ended by itself.
      for (const number of numbers) {
        if (cluster.pidOf(number) === undefined) await cluster.startInstance(number)
      }
      await until(
        'the cluster to be whole',
        async () => {
          for (const number of numbers) {
            if (cluster.pidOf(number) === undefined) await cluster.startInstance(number)
          }
          const seen = await members()
          return seen.length === numbers.length && seen.every(({ isServing }) => isServing)
        },
        { withinMs: 120_000, everyMs: 200 },
      )
    },
    states: async () => (await members()).map(({ zxid, digest }) => ({ zxid, digest })),
    logs: () =>
      cluster.instances.map(({ number, output }) => `=== ${number}\n${output.join('')}`).join('\n'),
    async end() {
      for (const disk of disks.values()) disk.unmount()
      await cluster.stop()
    },
  }
}
