/**
 * A thread that watches a fuzzer which may never come back from an input: when nothing moves for too long, it tells the
 * input and ends the process.
 *
 * Shared memory: how many inputs were begun, the target's number, the input's length; then the input.
 */
import { writeSync } from 'node:fs'
import { isMainThread, Worker, workerData } from 'node:worker_threads'
import { targets } from './targets.ts'
import type { Target } from './target.ts'

const headBytes = 12
const shownInputBytesMax = 16_384
const hangS = 20

export class Watchdog {
  readonly #shared = new SharedArrayBuffer(headBytes + shownInputBytesMax)
  readonly #head = new Int32Array(this.#shared, 0, 3)
  readonly #input = new Uint8Array(this.#shared, headBytes)
  readonly #thread: Worker

  constructor() {
    this.#thread = new Worker(new URL(import.meta.url), { workerData: this.#shared })
  }

  begins(target: Target, input: Uint8Array, count: number): void {
    const shown = input.length <= shownInputBytesMax ? input : input.subarray(0, shownInputBytesMax)
    this.#input.set(shown)
    this.#head[1] = targets.indexOf(target)
    this.#head[2] = shown.length
    Atomics.store(this.#head, 0, count)
  }

  async stop(): Promise<void> {
    await this.#thread.terminate()
  }
}

function watch(shared: SharedArrayBuffer): void {
  const head = new Int32Array(shared, 0, 3)
  let seen = 0
  let stillS = 0
  for (;;) {
    Atomics.wait(head, 0, seen, 1000)
    const now = Atomics.load(head, 0)
    stillS = now === seen && now > 0 ? stillS + 1 : 0
    seen = now
    if (stillS < hangS) continue
    const input = Buffer.from(new Uint8Array(shared, headBytes, head[2]))
    const name = targets[head[1] ?? 0]?.name ?? ''
    writeSync(2, `\nHANG: input ${now} of "${name}" takes ${stillS} s:\n${input.toString('hex')}\n`)
    process.kill(process.pid, 'SIGKILL')
  }
}

if (!isMainThread && workerData instanceof SharedArrayBuffer) watch(workerData)
