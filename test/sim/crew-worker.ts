/** One worker of the crew: runs the seeds it is sent, with a bug planted in the core if its name is given. */
import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { parentPort, workerData } from 'node:worker_threads'
import type { Job, Order, Outcome } from './crew.ts'
import { plants } from './plants.ts'

const { plant: name, world } = workerData as Job
if (name !== undefined) sow(name)

const survive =
  world === 'system'
    ? (await import('./system-storm.ts')).survive
    : (await import('./storm.ts')).survive

parentPort?.on('message', ({ seed }: Order) => parentPort?.postMessage(run(seed)))

function run(seed: number): Outcome {
  const startMs = performance.now()
  const spent = (): number => performance.now() - startMs
  try {
    const { counts, recoveryMs } = survive(seed)
    return { seed, counts, recoveryMs, violation: undefined, ms: spent() }
  } catch (fault) {
    const violation = fault instanceof Error ? fault.message : String(fault)
    return { seed, counts: {}, recoveryMs: 0, violation, ms: spent() }
  }
}

function sow(planted: string): void {
  const plant = plants.find((one) => one.name === planted)
  if (plant === undefined) throw new Error(`no plant is called ${planted}`)
  registerHooks({
    load(url, context, nextLoad) {
      const edits = plant.edits.filter(({ file }) => url.endsWith(`/src/core/${file}`))
      if (edits.length === 0) return nextLoad(url, context)
      let source = readFileSync(new URL(url), 'utf8')
      for (const { file, from, to } of edits) {
        if (source.split(from).length !== 2) throw new Error(`${file} has not once: ${from}`)
        source = source.replace(from, () => to)
      }
      return { format: 'module-typescript', source, shortCircuit: true }
    },
  })
}
