import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Ensemble } from '../support/ensemble.ts'
import { workerdOf } from '../support/family.ts'
import { freePorts } from '../support/ports.ts'
import type { Machines } from './machines.ts'
import { SmallDisk } from './small-disk.ts'

const tickTimeMs = 2000

/** One process that has all members: `npm run serve`. */
export async function serveMachines(): Promise<Machines> {
  const ensemble = new Ensemble(await freePorts(4), {
    mode: 'serve',
    env: { TICK_TIME: String(tickTimeMs), DISK_RESERVE_MB: '16' },
  })
  const disk = SmallDisk.at(ensemble.dataDir)
  await ensemble.start()
  const signal = (name: NodeJS.Signals): void => {
    const pid = workerdOf(ensemble.pid)
    if (pid !== undefined) process.kill(pid, name)
  }
  return {
    name: 'npm run serve',
    ports: ensemble.zkPorts,
    processes: [1],
    tickTimeMs,
    leader: () => ensemble.leader(),
    processOf: () => 1,
    kill9: () => ensemble.kill9(),
    stop: () => ensemble.restart(),
    // Stopping it is a restart already.
    start: async () => (ensemble.pid === 0 ? ensemble.start() : undefined),
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
    abortMember: (member) => ensemble.restartMember(member),
    corrupt: (member) => corruptLogRow(ensemble.dataDir, member),
    ...(disk === undefined ? {} : { fillDisk: (_: number, isFull: boolean) => disk?.fill(isFull) }),
    async formed() {
      await ensemble.formed()
    },
    states: async () => (await ensemble.members()).map(({ zxid, digest }) => ({ zxid, digest })),
    logs: () => ensemble.logs,
    end: async () => {
      disk?.unmount()
      await ensemble.stop()
    },
  }
}

/** One byte in the middle of the newest log row of the n-th member's disk. */
function corruptLogRow(dataDir: string, member: number): string {
  const folder = join(dataDir, 'state/v3/do/durable-keeper-Member')
  const files = readdirSync(folder).filter((name) => /^[0-9a-f]{64}\.sqlite$/.test(name))
  const file = files.sort()[(member - 1) % files.length] ?? ''
  const database = new DatabaseSync(join(folder, file))
  const row = database
    .prepare("select key, value from _cf_KV where key like 'log/%' order by key desc limit 1")
    .get() as { key: string; value: Uint8Array } | undefined
  if (row !== undefined) {
    const damaged = row.value.slice()
    const at = damaged.length >> 1
    damaged[at] = (damaged[at] ?? 0) ^ 0x10
    database.prepare('update _cf_KV set value = ? where key = ?').run(damaged, row.key)
  }
  database.close()
  return row === undefined ? 'no log row to damage' : `a bit of ${row.key} in ${file.slice(0, 8)}…`
}
