/** `node test/sim/main.ts --seeds=5000 [--from=1]`, or `--seed=8360 --trace` to see one. */
import { parseArgs } from 'node:util'
import { weather } from './storm.ts'
import type { World } from './world.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    trace: { type: 'boolean', default: false },
  },
})

const print = (world: World): void => {
  world.onTurn = (sid, turn) => {
    for (const line of turn.log) console.log(`${world.clock.nowMs} ${sid}: ${line}`)
  }
}

const from = Number(values.seed ?? values.from)
const count = values.seed === undefined ? Number(values.seeds) : 1
const failed: number[] = []
const total = { elections: 0, snapshots: 0, truncations: 0, txns: 0 }
let worst = { seed: 0, recoveryMs: 0 }
const startMs = performance.now()
for (let seed = from; seed < from + count; seed++) {
  try {
    const seen = weather(seed, values.trace ? print : undefined)
    for (const key of ['elections', 'snapshots', 'truncations', 'txns'] as const)
      total[key] += seen[key]
    if (seen.recoveryMs > worst.recoveryMs) worst = { seed, recoveryMs: seen.recoveryMs }
  } catch (error) {
    failed.push(seed)
    console.log(`seed ${seed}: ${String(values.trace ? (error as Error).stack : error)}`)
  }
}
const seconds = ((performance.now() - startMs) / 1000).toFixed(1)
console.log(
  `${count} seeds in ${seconds} s:`,
  total,
  'slowest recovery:',
  worst,
  'failed:',
  failed.length,
)
process.exitCode = failed.length > 0 ? 1 : 0
