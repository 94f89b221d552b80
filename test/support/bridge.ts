/** A bridge in a process of its own: the command as people call it. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { until } from './until.ts'

export const bridgeCommand = resolve(import.meta.dirname, '../../bin/durable-keeper.js')

export class BridgeProcess {
  readonly #process: ChildProcess
  readonly #output: string[] = []

  private constructor(args: readonly string[], env: Readonly<Record<string, string>>) {
    const program = spawn(process.execPath, [bridgeCommand, 'bridge', ...args], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const output of [program.stdout, program.stderr]) {
      output.setEncoding('utf8').on('data', (text: string) => this.#output.push(text))
    }
    this.#process = program
  }

  /** Resolves when it listens wherever it was told to. */
  static async start(
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<BridgeProcess> {
    const bridge = new BridgeProcess(args, env)
    const ports = Math.max(1, args.filter((arg) => arg === '--listen').length)
    await until(`a bridge; it printed ${bridge.printed}`, () => {
      return (
        bridge.printed.split('\n').filter((line) => line.startsWith('listening')).length === ports
      )
    })
    return bridge
  }

  get printed(): string {
    return this.#output.join('')
  }

  /** What it answered its signal with. */
  async end(signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL' = 'SIGTERM'): Promise<number | null> {
    const { exitCode, signalCode } = this.#process
    if (exitCode === null && signalCode === null) {
      this.#process.kill(signal)
      await once(this.#process, 'exit')
    }
    return this.#process.exitCode
  }
}
