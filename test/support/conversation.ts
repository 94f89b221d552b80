/** A talk with a program at its terminal: say a line, hear what it answers. What was heard is not heard again. */
import { spawn, type ChildProcess } from 'node:child_process'
import { until } from './until.ts'

export class Conversation {
  readonly #program: ChildProcess
  #transcript = ''
  #heardUpTo = 0

  constructor(
    command: string,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ) {
    const program = spawn(command, args, { env: { ...process.env, ...env } })
    for (const output of [program.stdout, program.stderr]) {
      output.setEncoding('utf8').on('data', (text: string) => {
        this.#transcript += text
      })
    }
    program.stdin.on('error', () => undefined) // it has left; the next thing we hope to hear says so
    this.#program = program
  }

  get transcript(): string {
    return this.#transcript
  }

  say(line: string): void {
    this.#transcript += `› ${line}\n`
    this.#program.stdin?.write(`${line}\n`)
  }

  async hear(pattern: RegExp): Promise<RegExpExecArray> {
    try {
      return await until(
        String(pattern),
        () => {
          const match = pattern.exec(this.#transcript.slice(this.#heardUpTo))
          if (match === null) return undefined
          this.#heardUpTo += match.index + match[0].length
          return match
        },
        { withinMs: 20_000, everyMs: 10 },
      )
    } catch (error) {
      throw new Error(`never heard ${pattern}; the talk was:\n${this.#transcript}`, {
        cause: error,
      })
    }
  }

  /** Says a line and waits for the answer. */
  async ask(line: string, answer: RegExp): Promise<RegExpExecArray> {
    this.say(line)
    return this.hear(answer)
  }

  /** Its exit code. */
  async ended(): Promise<number> {
    await until('the program to end', () => this.#program.exitCode !== null)
    return this.#program.exitCode ?? -1
  }

  kill(): void {
    this.#program.kill('SIGKILL')
  }
}
