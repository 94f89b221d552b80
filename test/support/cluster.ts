/** A cluster as on three machines: a bucket, and `npm run serve` once for each instance, on ports of their own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { commandScript, type MemberReport } from './ensemble.ts'
import { familyOf, workerdOf } from './family.ts'
import { freePorts } from './ports.ts'
import { until } from './until.ts'

/** The runtime of clusters comes for Linux only. */
export const canCluster = existsSync(
  resolve(
    import.meta.dirname,
    `../../node_modules/workerd-cluster-${process.platform}-${process.arch}/bin/workerd`,
  ),
)

interface Instance {
  readonly number: number
  readonly httpPort: number
  readonly zkPort: number
  readonly dataDir: string
  readonly output: string[]
  command: ChildProcess | undefined
}

export interface ClusterOptions {
  readonly instances?: number
  /** Settings of the ensemble, such as TICK_TIME. */
  readonly env?: Readonly<Record<string, string>>
  /** Called with each instance's empty folder. */
  readonly prepare?: (number: number, folder: string) => void
}

export interface ClusterMember extends MemberReport {
  readonly instance?: number
}

export class Cluster {
  readonly adminToken = 'the-token-of-a-test'
  readonly folder = mkdtempSync(join(tmpdir(), 'durable-keeper-cluster-'))
  readonly instances: readonly Instance[]
  readonly #bucket: ChildProcess
  readonly #env: Readonly<Record<string, string>>

  private constructor(
    bucket: ChildProcess,
    bucketPort: number,
    ports: readonly number[],
    { env = {}, prepare }: ClusterOptions,
  ) {
    this.#bucket = bucket
    // Four ports an instance: HTTP, clients, and two for its peers.
    const count = ports.length / 4
    const port = (at: number, which: number): number => ports[4 * at + which] ?? 0
    const numbers = Array.from({ length: count }, (_, at) => at)
    this.instances = numbers.map((at) => ({
      number: at + 1,
      httpPort: port(at, 0),
      zkPort: port(at, 1),
      dataDir: join(this.folder, String(at + 1)),
      output: [],
      command: undefined,
    }))
    for (const { number, dataDir } of this.instances) {
      mkdirSync(dataDir)
      prepare?.(number, dataDir)
    }
    this.#env = {
      TICK_TIME: '500',
      ...env,
      MEMBERS: String(count),
      OBSERVERS: '0',
      CLUSTER_PEERS: numbers.map((at) => `127.0.0.1:${port(at, 2)}`).join(','),
      CLUSTER_BUCKET: 's3://durable-keeper/test',
      CLUSTER_KEY: randomBytes(32).toString('hex'),
      AWS_ENDPOINT_URL: `http://127.0.0.1:${bucketPort}`,
      AWS_REGION: 'auto',
      AWS_ACCESS_KEY_ID: 'anybody',
      AWS_SECRET_ACCESS_KEY: 'anything',
      ADMIN_TOKEN: this.adminToken,
      VERBOSE: '1',
    }
  }

  static async start(options: ClusterOptions = {}): Promise<Cluster> {
    const bucket = spawn(process.execPath, [join(import.meta.dirname, 'bucket.ts')], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const [port] = (await once(bucket.stdout, 'data')) as [Buffer]
    const ports = await freePorts(4 * (options.instances ?? 3))
    const cluster = new Cluster(bucket, Number(port), ports, options)
    try {
      await Promise.all(cluster.instances.map(({ number }) => cluster.startInstance(number)))
      await cluster.formed()
    } catch (error) {
      const logs = cluster.instances.map(({ output }) => output.join(''))
      await cluster.stop()
      throw new Error(`no cluster; it printed:\n${logs.join('\n')}`, { cause: error })
    }
    return cluster
  }

  /** `127.0.0.1:2181,…`, as ZooKeeper's clients want it. */
  get hosts(): string {
    return this.instances.map(({ zkPort }) => `127.0.0.1:${zkPort}`).join(',')
  }

  instance(number: number): Instance {
    const found = this.instances[number - 1]
    if (found === undefined) throw new Error(`there is no instance ${number}`)
    return found
  }

  /** Resolves when it answers HTTP; its member may take longer. */
  async startInstance(number: number): Promise<void> {
    const instance = this.instance(number)
    const command = spawn(process.execPath, [commandScript('serve')], {
      env: {
        ...process.env,
        NODE_ENV: '',
        ...this.#env,
        INSTANCE: String(number),
        HTTP_PORT: String(instance.httpPort),
        ZK_PORT: String(instance.zkPort),
        DATA_DIR: instance.dataDir,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    instance.command = command
    for (const output of [command.stdout, command.stderr]) {
      output.setEncoding('utf8').on('data', (text: string) => instance.output.push(text))
    }
    await until(`instance ${number} to answer`, async () => {
      if (command.exitCode !== null) throw new Error(`it ended:\n${instance.output.join('')}`)
      return (await fetch(`http://127.0.0.1:${instance.httpPort}/`)).ok
    })
  }

  /** The process that serves, to be killed or frozen. */
  pidOf(number: number): number | undefined {
    const pid = this.instance(number).command?.pid
    return pid === undefined ? undefined : workerdOf(pid)
  }

  /** The store that all instances share does not answer. */
  freezeBucket(isFrozen: boolean): void {
    this.#bucket.kill(isFrozen ? 'SIGSTOP' : 'SIGCONT')
  }

  /** The machine's power fails: everything on it is gone at once. */
  async kill9(number: number): Promise<void> {
    const { command } = this.instance(number)
    if (command?.pid === undefined || !isRunning(command)) return
    const gone = once(command, 'exit')
    // Whoever starts others first: nobody is left to see the others go.
    for (const pid of familyOf(command.pid)) kill(pid)
    await gone
  }

  /** The process that serves dies; the command that started it sees that, and ends too. */
  async crash(number: number): Promise<void> {
    const { command } = this.instance(number)
    const pid = this.pidOf(number)
    if (command === undefined || pid === undefined) return
    const gone = once(command, 'exit')
    kill(pid)
    if (isRunning(command)) await gone
  }

  /** As a supervisor stops it. */
  async stopInstance(number: number): Promise<void> {
    const { command } = this.instance(number)
    if (command === undefined || !isRunning(command)) return
    const gone = once(command, 'exit')
    command.kill('SIGTERM')
    await gone
  }

  /** What an instance sees of the members. */
  async members(through: number): Promise<readonly ClusterMember[]> {
    const answer = await this.admin(through, 'GET', 'members')
    return ((await answer.json()) as { members: readonly ClusterMember[] }).members
  }

  async admin(through: number, method: 'GET' | 'POST', path: string): Promise<Response> {
    const { httpPort } = this.instance(through)
    const answer = await fetch(`http://127.0.0.1:${httpPort}/admin/${path}`, {
      method,
      headers: { authorization: `Bearer ${this.adminToken}` },
      signal: AbortSignal.timeout(10_000),
    })
    if (!answer.ok) throw new Error(`/admin/${path} answers ${answer.status}`)
    return answer
  }

  /** Waits until every member serves; a lease that must run out first takes 20 seconds. */
  formed(through = 1): Promise<readonly ClusterMember[]> {
    return until(
      'every member of the cluster',
      async () => {
        const members = await this.members(through)
        const isLed = members.some(({ role }) => role === 'leader')
        return isLed && members.every(({ isServing }) => isServing) && members
      },
      { withinMs: 60_000 },
    )
  }

  /** Ends everything; its folder goes too. */
  async stop(): Promise<void> {
    await Promise.all(this.instances.map(({ number }) => this.#end(number)))
    this.freezeBucket(false)
    this.#bucket.stdin?.end()
    rmSync(this.folder, { recursive: true, force: true })
  }

  async #end(number: number): Promise<void> {
    const pid = this.pidOf(number)
    if (pid !== undefined) process.kill(pid, 'SIGCONT')
    await this.kill9(number)
    await this.stopInstance(number)
  }
}

const isRunning = ({ exitCode, signalCode }: ChildProcess): boolean =>
  exitCode === null && signalCode === null

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    // It has just gone.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
