/**
 * Runs a command so that it never outlives us. The leash is a process of its own and leads a process group; the command
 * and all it starts are in that group. We hold the leash by its standard input:
 *
 *     node leash.ts grace command argument …
 *
 * When the input ends, because we asked or because somebody killed us with -9, the whole group goes: asked to leave by
 * SIGTERM if we said `stop`, killed at once if we did not get to say it. workerd does not leave while a socket is open,
 * so after the grace it was given, in ms, it is killed. Everything a member promised is on its disk by then, whichever way it ends.
 */
import { spawn } from 'node:child_process'

const [graceMs, command = '', ...args] = process.argv.slice(2)
const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] })
let isStopping = false

child.on('error', (error) => {
  console.error(`cannot start ${command}: ${error.message}`)
  process.exitCode = 1
  killGroup()
})
child.on('exit', (code) => {
  process.exitCode = isStopping ? 0 : (code ?? 1)
  killGroup()
})
process.stdin.on('data', () => stop())
process.stdin.on('end', () => (isStopping ? undefined : killGroup()))
// The group's own SIGTERM, and a terminal's Ctrl-C that reached us: the input decides, not they.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined)

function stop(): void {
  isStopping = true
  process.kill(-process.pid, 'SIGTERM')
  setTimeout(killGroup, Number(graceMs))
}

/** The command's own helpers may still be there when it has gone. Ends this process too. */
function killGroup(): void {
  process.kill(-process.pid, 'SIGKILL')
}
