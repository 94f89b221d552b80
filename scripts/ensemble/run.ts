/** Starts one of the two runtimes, tells what its members do, and takes it down with us. */
import { randomBytes } from 'node:crypto'
import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { SettingsError } from '../../src/core/shared/read-settings.ts'
import { Front } from '../../src/front/front.ts'
import { Runtime } from '../../src/front/runtime.ts'
import { bundleWorker } from './bundle.ts'
import { Lease, Nodes } from './lease.ts'
import { freePort } from './free-port.ts'
import { readOptions, type Options } from './options.ts'
import { FolderTaken, lockFolder } from './lock.ts'
import { PortTaken, requireFreePorts } from './ports.ts'
import { leaveCluster, tellMembers } from './members.ts'

/** What differs between the two commands. */
export interface Command {
  readonly name: string
  /** Writes the runtime's configuration and says how to start it. */
  prepare(options: Options, worker: string, entry: Entry): Launch
  /** A line the runtime prints, as we should print it; undefined drops it. */
  retell(line: string): string | undefined
}

/** Where the front meets the Worker, which must have its secret as FRONT_SECRET. */
export interface Entry {
  readonly host: string
  readonly port: number
  readonly secret: string
}

export interface Launch {
  readonly command: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** How long it may take to leave once it is asked to, ms. */
  readonly graceMs?: number
}

const graceMs = 2000

export async function runEnsemble(command: Command): Promise<void> {
  try {
    const options = readOptions(process.env)
    await requireFreePorts(options)
    await lockFolder(options.dataDir)
    const lease = leaseOf(options)
    await lease?.begin()
    const secret = randomBytes(18).toString('base64url')
    const entry: Entry = { host: '127.0.0.1', port: await freePort(), secret }
    const launch = command.prepare(options, await bundleWorker(options), entry)
    const front = await openFront(options, entry)
    await runLeashed(command, launch, options, lease, front)
  } catch (error) {
    if (!isOperators(error)) throw error
    console.error(error.message)
    process.exitCode = 1
  }
}

/** TCP clients come to us, member by member. */
async function openFront(options: Options, entry: Entry): Promise<Front> {
  const { bindAddress, zkPorts, cluster, settings } = options
  const front = new Front()
  const ports = zkPorts.map((port, index) => ({ port, member: cluster?.instance ?? index + 1 }))
  const { juteMaxBufferBytes } = settings
  await front.listen(
    bindAddress,
    ports,
    new Runtime({ ...entry, frameBytesMax: juteMaxBufferBytes }),
  )
  return front
}

function leaseOf({ cluster, dataDir }: Options): Lease | undefined {
  if (cluster === undefined) return undefined
  const nodes = Nodes.of(cluster, process.env)
  return nodes && new Lease(cluster, nodes, dataDir)
}

/** What whoever starts it can mend. */
const isOperators = (error: unknown): error is Error =>
  error instanceof SettingsError || error instanceof PortTaken || error instanceof FolderTaken

async function runLeashed(
  command: Command,
  launch: Launch,
  options: Options,
  lease: Lease | undefined,
  front: Front,
): Promise<void> {
  const { settings, dataDir, cluster } = options
  const { members, observers } = settings
  const instance = cluster === undefined ? '' : `, instance ${cluster.instance}`
  console.log(
    `Durable Keeper on ${command.name}: ${members} members, ${observers} observers${instance}, kept in ${dataDir}`,
  )
  const leash = spawn(
    process.execPath,
    [
      `${import.meta.dirname}/leash.ts`,
      String(launch.graceMs ?? graceMs),
      launch.command,
      ...launch.args,
    ],
    {
      detached: true, // makes it the leader of a process group
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...launch.env },
    },
  )
  for (const output of [leash.stdout, leash.stderr]) {
    createInterface({ input: output }).on('line', (line) => {
      if (!options.isVerbose && line.startsWith('{"event":')) return
      const retold = command.retell(line)
      if (retold !== undefined) console.log(retold)
    })
  }

  const done = new AbortController()
  // Clients find another member at once, and not when the runtime has gone.
  done.signal.addEventListener('abort', () => front.close())
  stopWithUs(leash, done, options)
  const ended = new Promise<number>((resolve) => {
    leash.once('exit', (code) => resolve(code ?? 1))
  })
  void tellMembers(options, done.signal)
  void lease?.note(done.signal)
  const code = await ended
  // The leash ends by killing its own group, so its code says nothing once we asked it to.
  if (!done.signal.aborted) {
    console.error(`${command.name} ended by itself (${code})`)
    process.exitCode = 1
  }
  done.abort()
  // Who left in good order has none any more.
  await lease?.giveBack()
  process.exit()
}

function stopWithUs(leash: ChildProcess, done: AbortController, options: Options): void {
  const stop = (): void => {
    if (done.signal.aborted) return
    done.abort()
    void leaveCluster(options).finally(() => leash.stdin?.end('stop'))
  }
  // A second Ctrl-C while we wait is not a reason to leave a child behind.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop)
  leash.stdin?.on('error', () => undefined) // it has gone already
  if (process.env['npm_lifecycle_event'] !== undefined) whenOrphaned(stop)
}

/** npm killed with -9 takes nobody with it: we notice that our parent is another one now. */
function whenOrphaned(stop: () => void): void {
  const parent = process.ppid
  const watch = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(watch)
    stop()
  }, 1000)
}
