/**
 * `npm run chaos`: real processes are killed, frozen and starved while clients write down what they are told; then it is
 * checked whether all of that can be true. Ends with 1 when it cannot.
 *
 * MODE (cluster; serve, zookeeper), MINUTES (2), SEED (drawn and printed), BESIDE (1: the leader of an Apache ZooKeeper is
 * killed the same way afterwards, where one is installed). `--storm`: 200 clients, and nothing but the leader is killed,
 * every 10 seconds. `--results FILE`: what was shown, for `npm run conformance -- --results`.
 */
import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { writeResults } from '../conformance/results.ts'
import { canCluster } from '../support/cluster.ts'
import { isInstalled } from '../support/programs.ts'
import { until } from '../support/until.ts'
import { clusterMachines } from './cluster-machines.ts'
import { History } from './history.ts'
import { KazooClient } from './kazoo.ts'
import type { Machines } from './machines.ts'
import { Nemesis } from './nemesis.ts'
import { Outages } from './outages.ts'
import { serveMachines } from './serve-machines.ts'
import { longTimeoutMs, Workload } from './workload.ts'
import { zooKeeperMachines } from './zookeeper-machines.ts'

const { values } = parseArgs({
  options: { storm: { type: 'boolean', default: false }, results: { type: 'string' } },
})
const isStorm = values.storm
const minutes = Number(process.env['MINUTES'] ?? 2)
const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 32))
const mode = process.env['MODE'] ?? (canCluster ? 'cluster' : 'serve')
const stormEveryMs = 10_000

const kinds: Readonly<Record<string, () => Promise<Machines>>> = {
  cluster: clusterMachines,
  serve: serveMachines,
  zookeeper: zooKeeperMachines,
}

interface Summary {
  readonly name: string
  readonly kills: string
  readonly acknowledged: number
  readonly violations: readonly string[]
  readonly sessionsLost: number
  readonly sessions: number
  readonly outages: string
}

async function play(start: () => Promise<Machines>, forMs: number, isKillsOnly: boolean) {
  const machines = await start()
  const history = new History()
  const outages = new Outages(history)
  const nemesis = new Nemesis(machines, seed, () => outages.begin())
  const workload = new Workload(
    history,
    machines.ports,
    isStorm
      ? { writers: 180, readers: 10, lockers: 8, thinkMs: 200 }
      : { writers: 8, readers: 4, lockers: 3, thinkMs: 2 },
  )
  const kazoo = isInstalled.kazoo() ? KazooClient.start(machines.ports, history) : undefined
  try {
    await machines.formed()
    console.log(`\n${machines.name}, seed ${seed}, ${(forMs / 60_000).toFixed(1)} minutes`)
    await workload.begin()
    const progress = tellProgress(history)
    const untilMs = performance.now() + forMs
    if (isKillsOnly || isStorm) await nemesis.storm(stormEveryMs, untilMs)
    else await nemesis.rage(untilMs)
    await delay(2000)
    await workload.end()
    await kazoo?.end()
    clearInterval(progress)
    await workload.check()
    await checkStates(machines, history)
    const summary: Summary = {
      name: machines.name,
      kills: [...nemesis.counts].map(([name, count]) => `${count} × ${name}`).join(', '),
      acknowledged: history.acknowledged,
      violations: history.violations,
      sessionsLost: history.lostSessions.length,
      sessions: workload.sessions + (kazoo === undefined ? 0 : 1),
      outages: outages.summary(),
    }
    tell(summary, history)
    return summary
  } catch (error) {
    history.violation(String(error))
    throw error
  } finally {
    if (history.violations.length > 0) keepLogs(machines)
    kazoo?.kill()
    await workload.close()
    await machines.end()
  }
}

/** For whoever looks for the cause. */
function keepLogs(machines: Machines): void {
  const file = join(tmpdir(), `chaos-${seed}-${process.pid}.log`)
  writeFileSync(file, machines.logs())
  console.log(`what the processes printed is in ${file}`)
}

function tellProgress(history: History): NodeJS.Timeout {
  return setInterval(() => {
    const { acknowledged, unknown, reads, grants } = history
    console.log(
      `         ${acknowledged} writes acknowledged, ${unknown} of unknown fate, ${reads} fresh reads, ${grants} locks`,
    )
  }, 10_000)
}

/** [Z1] at the end: once nobody writes, all have one zxid, and with it one digest. */
async function checkStates(machines: Machines, history: History): Promise<void> {
  try {
    await until('one zxid everywhere', async () => {
      const states = await machines.states()
      return new Set(states.map(({ zxid }) => zxid)).size === 1
    })
  } catch {
    const states = await machines.states()
    return history.violation(`zxids differ at rest: ${states.map(({ zxid }) => zxid).join(' ')}`)
  }
  const states = await machines.states()
  const digests = new Set(states.map(({ zxid, digest }) => `${zxid} ${digest}`))
  if (digests.size > 1) history.violation(`digests differ: ${[...digests].join(', ')}`)
}

function tell(summary: Summary, history: History): void {
  const { name, kills, acknowledged, violations, sessions, sessionsLost, outages } = summary
  console.log(`
${name}: seed ${seed}
  faults                 ${kills}
  acknowledged writes    ${acknowledged} (${history.unknown} more of unknown fate)
  what cannot be true    ${violations.length}: lost writes, reads that went back, names given twice, two holders of a lock
  sessions lost          ${sessionsLost} of ${sessions}, timeout ${longTimeoutMs} ms
  after a leader's death ${outages}`)
}

const start = kinds[mode]
if (start === undefined) throw new Error(`MODE is ${mode}: cluster, serve or zookeeper`)
if (mode === 'cluster' && !canCluster) throw new Error('clusters run on Linux, after npm ci')
if (mode === 'zookeeper' && !isInstalled.zooKeeper()) throw new Error('ZooKeeper is not installed')
const summaries = [await play(start, minutes * 60_000, false)]
const isBeside = process.env['BESIDE'] !== '0' && mode !== 'zookeeper'
if (isBeside && isInstalled.zooKeeper()) {
  summaries.push(await play(zooKeeperMachines, Math.max(60_000, minutes * 15_000), true))
} else if (isBeside) {
  console.log('\nApache ZooKeeper is not installed: nothing to compare with.')
}
// What Apache ZooKeeper does is told, and is not ours to fail for.
const own = summaries[0] as Summary
const shown = {
  'all that clients were told can be true, and members at rest have one zxid and one digest':
    own.violations.length === 0,
  'no session of 30 s is lost': own.sessionsLost === 0,
}
if (values.results !== undefined && mode !== 'zookeeper') {
  writeResults(values.results, import.meta.filename, shown)
}
process.exit(Object.values(shown).every(Boolean) ? 0 : 1)
