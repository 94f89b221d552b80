import { spawn } from 'node:child_process'

/** Runs a program to its end and returns what it printed; throws all of it when it fails or takes too long. */
export const runProgram = (
  command: string,
  args: readonly string[],
  { withinMs = 50_000 } = {},
): Promise<string> =>
  new Promise((resolve, reject) => {
    const program = spawn(command, args, { timeout: withinMs, killSignal: 'SIGKILL' })
    let printed = ''
    let complained = ''
    program.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text))
    program.stderr.setEncoding('utf8').on('data', (text: string) => (complained += text))
    program.once('error', reject)
    program.once('close', (code, signal) => {
      if (code === 0) resolve(printed)
      else reject(new Error(`${command} ends with ${code ?? signal}:\n${printed}${complained}`))
    })
  })
