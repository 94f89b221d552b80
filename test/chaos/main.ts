/**
 * `npm run chaos`: real processes are killed, frozen and starved while clients write down what they are told; then it is
 * checked whether all of that can be true. Ends with 1 when it cannot.
 *
 * MODE (cluster; serve, zookeeper), MINUTES (2), SEED (drawn and printed), BESIDE (1: afterwards the leader alone is killed
 * for a while, and the same way that of an Apache ZooKeeper, where one is installed). `--storm`: 200 clients, and nothing but
 * the leader is killed, every 10 seconds. `--results FILE`: what was shown, for `npm run conformance -- --results`.
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
  readonly outages: readonly string[]
}

/** How long which faults come. */
interface Phases {
  /** All there are, ms. */
  readonly rageMs: number
  /** Nothing but the leader's death, every 10 seconds, ms. */
  readonly killsMs: number
}

async function play(start: () => Promise<Machines>, { rageMs, killsMs }: Phases) {
  const machines = await start()
  const history = new History()
  const raging = new Outages(history)
  const killing = new Outages(history)
  let outages = raging
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
    const minutesInAll = (rageMs + killsMs) / 60_000
    console.log(`\n${machines.name}, seed ${seed}, ${minutesInAll.toFixed(1)} minutes`)
    await workload.begin()
    const progress = tellProgress(history)
    await nemesis.rage(performance.now() + rageMs)
    outages = killing
    await nemesis.storm(stormEveryMs, performance.now() + killsMs)
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
      outages: [
        ...(rageMs > 0 ? [`among other faults: ${raging.summary()}`] : []),
        ...(killsMs > 0 ? [`every 10 s: ${killing.summary()}`] : []),
      ],
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
  after a leader's death ${outages.join(`\n${' '.repeat(25)}`)}`)
}

const start = kinds[mode]
if (start === undefined) throw new Error(`MODE is ${mode}: cluster, serve or zookeeper`)
if (mode === 'cluster' && !canCluster) throw new Error('clusters run on Linux, after npm ci')
if (mode === 'zookeeper' && !isInstalled.zooKeeper()) throw new Error('ZooKeeper is not installed')
const isBeside = process.env['BESIDE'] !== '0' && mode !== 'zookeeper'
const wholeMs = minutes * 60_000
const besideMs = Math.max(60_000, wholeMs / 4)
const phases = isStorm
  ? { rageMs: 0, killsMs: wholeMs }
  : { rageMs: wholeMs, killsMs: isBeside ? besideMs : 0 }
const summaries = [await play(start, phases)]
if (isBeside && isInstalled.zooKeeper()) {
  summaries.push(await play(zooKeeperMachines, { rageMs: 0, killsMs: besideMs }))
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
