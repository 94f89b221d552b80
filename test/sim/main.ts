/**
 * `npm run sim -- --seeds=10000 [--from=1]`, `--seed=8360 --trace` to see one, `--planted` to see how soon each planted
 * bug is caught, `--zab` for the consensus alone.
 */
import { parseArgs } from 'node:util'
import { type Outcome, runSeeds, seedsFrom } from './crew.ts'
import { Tally } from './faults.ts'
import { plants } from './plants.ts'
import * as storm from './storm.ts'
import * as systemStorm from './system-storm.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '2000' },
    from: { type: 'string', default: '1' },
    trace: { type: 'boolean', default: false },
    zab: { type: 'boolean', default: false },
    planted: { type: 'boolean', default: false },
    plant: { type: 'string', default: '' },
  },
})
const world = values.zab ? 'zab' : 'system'

if (values.seed !== undefined) replay(Number(values.seed))
else if (values.planted) await tryPlants()
else await run(Number(values.from), Number(values.seeds))

function replay(seed: number): void {
  const { survive } = values.zab ? storm : systemStorm
  const { counts, recoveryMs } = survive(seed, values.trace ? console.log : undefined)
  console.log(`seed ${seed}: no violation, recovered in ${recoveryMs} ms`, counts)
}

async function run(from: number, count: number): Promise<void> {
  const total = new Tally()
  const failed: number[] = []
  let worst = { seed: 0, recoveryMs: 0 }
  let [done, cpuMs, saidMs] = [0, 0, 0]
  const startMs = performance.now()
  const seconds = (): string => ((performance.now() - startMs) / 1000).toFixed(0)
  let isStopped = false
  process.once('SIGINT', () => (isStopped = true)).once('SIGTERM', () => (isStopped = true))
  await runSeeds(seedsFrom(from, count), { world, plant: undefined }, (outcome: Outcome) => {
    const { seed, counts, recoveryMs, violation, ms } = outcome
    done += 1
    cpuMs += ms
    total.add(Object.entries(counts))
    if (recoveryMs > worst.recoveryMs) worst = { seed, recoveryMs }
    if (violation !== undefined) {
      failed.push(seed)
      console.log(`seed ${seed}: ${violation}`)
      console.log(`  npm run sim -- --seed=${seed} --trace`)
    }
    if (performance.now() - saidMs < 5000) return isStopped
    saidMs = performance.now()
    console.error(`${done} of ${count} seeds, ${failed.length} violations, ${seconds()} s`)
    return isStopped
  })
  const rows = [...total.counts].toSorted(([a], [b]) => (a < b ? -1 : 1))
  for (const [kind, times] of rows) console.log(`${String(times).padStart(10)} ${kind}`)
  console.log(`slowest recovery: ${worst.recoveryMs} ms of virtual time, seed ${worst.seed}`)
  console.log(
    `${done} seeds in ${seconds()} s, ${(cpuMs / done).toFixed(0)} ms each: ${failed.length} violations`,
  )
  process.exitCode = failed.length > 0 ? 1 : 0
}

/** Each bug is sought from seed 1 on. */
async function tryPlants(): Promise<void> {
  for (const { name, world: own = world } of plants) {
    if (!name.includes(values.plant)) continue
    const count = Number(values.seeds) * (own === world ? 1 : 10)
    let caught: Outcome | undefined
    await runSeeds(seedsFrom(1, count), { world: own, plant: name }, (outcome) => {
      const isFirst = outcome.violation !== undefined && outcome.seed < (caught?.seed ?? Infinity)
      if (isFirst) caught = outcome
      return outcome.violation !== undefined
    })
    const law = caught?.violation?.split('\n')[0]
    console.log(
      `${caught === undefined ? 'MISSED' : String(caught.seed).padStart(6)} ${name}: ${law}`,
    )
    if (caught === undefined) process.exitCode = 1
  }
}
