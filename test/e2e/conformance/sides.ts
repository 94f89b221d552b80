/**
 * The same tests on both sides: our ensemble of three, and a real Apache ZooKeeper 3.8.0 where one is installed. One
 * ensemble a file; every test opens its own sessions and keeps to its own node.
 */
import { afterAll, afterEach, beforeAll, describe } from 'vitest'
import { type Ensemble, startEnsemble } from '../../support/ensemble.ts'
import { isInstalled } from '../../support/programs.ts'
import { startZooKeeper } from '../../support/zookeeper.ts'
import { RawClient } from '../raw-client.ts'
import { type Greeting, Session } from './session.ts'

export const tickMs = 500

export interface Settings {
  /** Of our ensemble. */
  readonly ours?: Readonly<Record<string, string>>
  /** Java’s system properties. */
  readonly apache?: Readonly<Record<string, string>>
}

export class Side {
  readonly isOurs: boolean
  readonly #start: () => Promise<Running>
  #running: Running | undefined
  #open: Session[] = []
  #nodes = 0

  constructor(isOurs: boolean, start: () => Promise<Running>) {
    this.isOurs = isOurs
    this.#start = start
  }

  async start(): Promise<void> {
    this.#running = await this.#start()
  }

  async stop(): Promise<void> {
    await this.#running?.stop()
  }

  /** A member’s, counted from 0; of a server that is alone always the same. */
  port(member = 0): number {
    const ports = this.#running?.zkPorts ?? []
    return ports[member % ports.length] ?? 0
  }

  get ensemble(): Ensemble {
    if (this.#running?.ensemble === undefined) throw new Error('not ours')
    return this.#running.ensemble
  }

  /** What ours and what 3.8.0 has to answer, where they differ. */
  either<T>(ours: T, apache: T): T {
    return this.isOurs ? ours : apache
  }

  async open(wish: Greeting = {}, member = 0): Promise<Session> {
    const session = await Session.open(this.port(member), wish)
    this.#open.push(session)
    return session
  }

  dial(member = 0): Promise<RawClient> {
    return RawClient.dial(this.port(member))
  }

  /** A new session, and a new node that nobody else uses. */
  async begin(wish: Greeting = {}): Promise<readonly [Session, string]> {
    const session = await this.open(wish)
    const path = await session.create(`/t${(this.#nodes += 1)}`)
    return [session, path]
  }

  /** Ends every session, so that none expires into a later test and uses up a zxid there. */
  async leave(): Promise<void> {
    await Promise.all(this.#open.map((session) => session.close()))
    this.#open = []
  }
}

interface Running {
  readonly zkPorts: readonly number[]
  readonly ensemble?: Ensemble
  stop(): Promise<void>
}

async function startOurs(env: Readonly<Record<string, string>>): Promise<Running> {
  const ensemble = await startEnsemble({ env: { TICK_TIME: String(tickMs), ...env } })
  return { zkPorts: ensemble.zkPorts, ensemble, stop: () => ensemble.stop() }
}

export function onBothSides(settings: Settings, tests: (side: Side) => void): void {
  describe('Durable Keeper', () => {
    play(new Side(true, () => startOurs(settings.ours ?? {})), tests)
  })
  const isHere = isInstalled.zooKeeper()
  if (!isHere) console.warn('left out: Apache ZooKeeper is not here (Debian package zookeeper)')
  describe.skipIf(!isHere)('Apache ZooKeeper 3.8.0', () => {
    const properties = { 'zookeeper.forceSync': 'no', ...settings.apache }
    play(new Side(false, () => startZooKeeper({ tickTimeMs: tickMs, properties })), tests)
  })
}

function play(side: Side, tests: (side: Side) => void): void {
  beforeAll(() => side.start())
  afterEach(() => side.leave())
  afterAll(() => side.stop())
  tests(side)
}
