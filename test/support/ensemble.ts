/** A whole ensemble in processes of its own: what `npm start` or `npm run serve` starts, on free ports, in a folder that goes. */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { freePorts, isFree } from './ports.ts'
import { until } from './until.ts'

export type Mode = 'start' | 'serve'

export interface EnsembleOptions {
  readonly mode?: Mode
  readonly members?: number
  readonly observers?: number
  /** Members that may be added. */
  readonly spares?: number
  /** Settings of the ensemble, such as TICK_TIME. */
  readonly env?: Readonly<Record<string, string>>
}

export interface MemberReport {
  readonly sid: number
  readonly role: 'leader' | 'follower' | 'observer' | 'looking' | 'standalone' | 'down'
  readonly epoch: number
  readonly zxid: string
  readonly isServing: boolean
  readonly digest: string
}

export class Ensemble {
  readonly httpPort: number
  /** The first member's first. */
  readonly zkPorts: readonly number[]
  readonly adminToken = 'the-token-of-a-test'
  readonly dataDir = mkdtempSync(join(tmpdir(), 'durable-keeper-'))
  #mode: Mode
  readonly #env: Readonly<Record<string, string>>
  readonly #output: string[] = []
  #process: ChildProcess | undefined

  constructor(ports: readonly number[], options: EnsembleOptions) {
    const [httpPort = 0, ...zkPorts] = ports
    this.httpPort = httpPort
    this.zkPorts = zkPorts
    this.#mode = options.mode ?? 'serve'
    this.#env = {
      TICK_TIME: '500', // sessions may be as short as a second
      ...options.env,
      MEMBERS: String(options.members ?? 3),
      OBSERVERS: String(options.observers ?? 0),
      MAX_MEMBERS: String(zkPorts.length),
      HTTP_PORT: String(httpPort),
      ZK_PORT: String(zkPorts[0]),
      DATA_DIR: this.dataDir,
      VERBOSE: '1',
      ADMIN_TOKEN: this.adminToken,
    }
  }

  /** `127.0.0.1:2181,…`, as ZooKeeper's clients want it. */
  get hosts(): string {
    return this.zkPorts.map((port) => `127.0.0.1:${port}`).join(',')
  }

  get httpOrigin(): string {
    return `http://127.0.0.1:${this.httpPort}`
  }

  get webSocketUrl(): string {
    return `ws://127.0.0.1:${this.httpPort}/session`
  }

  /** Of the command we started. */
  get pid(): number {
    return this.#process?.pid ?? 0
  }

  /** Everything the command has printed. */
  get logs(): string {
    return this.#output.join('')
  }

  /** Starts the command and waits until every member has its place. */
  async start(): Promise<void> {
    await this.#portsAreFree()
    const command = spawn(process.execPath, [commandScript(this.#mode)], {
      env: { ...process.env, NODE_ENV: '', ...this.#env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#process = command
    for (const output of [command.stdout, command.stderr]) {
      output.setEncoding('utf8').on('data', (text: string) => this.#output.push(text))
    }
    try {
      await this.formed()
    } catch (error) {
      await this.stop()
      throw new Error(`no ensemble; it printed:\n${this.logs}`, { cause: error })
    }
  }

  /** Waits until there is a leader and everybody else has joined it. */
  formed(): Promise<readonly MemberReport[]> {
    return until('an ensemble with a leader', async () => {
      if (this.#process === undefined || this.#process.exitCode !== null) return undefined
      const members = await this.members()
      const isLed = members.some(({ role }) => role === 'leader' || role === 'standalone')
      return isLed && members.every(({ isServing }) => isServing) && members
    })
  }

  async members(): Promise<readonly MemberReport[]> {
    const answer = await this.admin('GET', 'members')
    return ((await answer.json()) as { members: readonly MemberReport[] }).members
  }

  /** The sid of the leader, when there is one. */
  async leader(): Promise<number | undefined> {
    return (await this.members()).find(({ role }) => role === 'leader')?.sid
  }

  /** `admin('POST', 'members/2/restart')` */
  async admin(method: 'GET' | 'POST', path: string): Promise<Response> {
    const answer = await fetch(`${this.httpOrigin}/admin/${path}`, {
      method,
      headers: { authorization: `Bearer ${this.adminToken}` },
      signal: AbortSignal.timeout(10_000),
    })
    if (!answer.ok) throw new Error(`/admin/${path} answers ${answer.status}`)
    return answer
  }

  /** Aborts one member’s actor: its memory is gone, its disk stays. */
  async restartMember(sid: number): Promise<void> {
    await this.admin('POST', `members/${sid}/restart`)
  }

  /** The whole ensemble dies at once, with no time to say anything. */
  async kill9(): Promise<void> {
    await this.#end('SIGKILL')
    await this.#portsAreFree()
  }

  /** The same ensemble on the same data, by the other command if you say so. */
  async restart(mode = this.#mode): Promise<void> {
    if (this.#process !== undefined) await this.#end('SIGTERM')
    this.#mode = mode
    await this.start()
  }

  /** Ends it; its folder goes too. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM')
    await this.#portsAreFree()
    rmSync(this.dataDir, { recursive: true, force: true })
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const command = this.#process
    this.#process = undefined
    if (command === undefined || command.exitCode !== null || command.signalCode !== null) return
    const gone = new Promise((resolveGone) => command.once('exit', resolveGone))
    command.kill(signal)
    await gone
  }

  async #portsAreFree(): Promise<void> {
    await until('the ports to be let go', async () => {
      const free = await Promise.all([this.httpPort, ...this.zkPorts].map(isFree))
      return free.every(Boolean)
    })
  }
}

export const commandScript = (mode: Mode): string =>
  resolve(import.meta.dirname, `../../scripts/${mode}.ts`)

export async function startEnsemble(options: EnsembleOptions = {}): Promise<Ensemble> {
  const { members = 3, observers = 0, spares = 0 } = options
  const ports = await freePorts(1 + members + observers + spares)
  const ensemble = new Ensemble(ports, options)
  await ensemble.start()
  return ensemble
}
