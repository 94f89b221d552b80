/** A stock client among ours: kazoo, in a process of its own, which prints what it was told. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { python } from '../support/programs.ts'
import type { History } from './history.ts'

/** One line each: `created /path`, `lost` for its session, `missing /path` for a node that was acknowledged. */
export class KazooClient {
  readonly #process: ChildProcess

  private constructor(process: ChildProcess) {
    this.#process = process
  }

  static start(ports: readonly number[], history: History): KazooClient {
    const hosts = ports.map((port) => `127.0.0.1:${port}`).join(',')
    const child = spawn(python, [join(import.meta.dirname, 'kazoo_writer.py'), hosts], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    createInterface({ input: child.stdout }).on('line', (line) => {
      const [word, path = ''] = line.split(' ')
      if (word === 'created') history.acknowledgedOther('kazoo', 0)
      else if (word === 'lost') history.sessionLost('kazoo (30000 ms)')
      else history.violation(`kazoo: ${word} ${path}`)
    })
    return new KazooClient(child)
  }

  /** It looks once more for everything it was told, then ends. */
  async end(): Promise<void> {
    this.#process.stdin?.end()
    if (this.#process.exitCode === null) await once(this.#process, 'exit')
  }

  kill(): void {
    this.#process.kill('SIGKILL')
  }
}
