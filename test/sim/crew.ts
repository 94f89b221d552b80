/** Runs seeds on every core of the machine. */
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'

export interface Job {
  readonly world: 'system' | 'zab'
  readonly plant: string | undefined
}

export interface Order {
  readonly seed: number
}

export interface Outcome {
  readonly seed: number
  readonly counts: Readonly<Record<string, number>>
  /** How long it took after the storm until everybody went on, in virtual time. */
  readonly recoveryMs: number
  readonly violation: string | undefined
  readonly ms: number
}

/** Runs the seeds in turn; ends early when `each` answers true. */
export async function runSeeds(
  seeds: Iterable<number>,
  job: Job,
  each: (outcome: Outcome) => boolean | void,
  workers = availableParallelism(),
): Promise<void> {
  const queue = seeds[Symbol.iterator]()
  let isOver = false
  const work = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL('./crew-worker.ts', import.meta.url), { workerData: job })
      const next = (): void => {
        const { value: seed, done } = queue.next()
        if (done === true || isOver) void worker.terminate()
        else worker.postMessage({ seed } satisfies Order)
      }
      worker.on('message', (outcome: Outcome) => {
        if (each(outcome) === true) isOver = true
        next()
      })
      worker.on('error', reject)
      worker.on('exit', () => resolve())
      next()
    })
  await Promise.all(Array.from({ length: workers }, work))
}

export function* seedsFrom(first: number, count: number): Generator<number> {
  for (let seed = first; seed < first + count; seed++) yield seed
}
