/** The same script on Apache ZooKeeper and on ours, step by step, until they differ. */
import type { Ensemble } from '../support/ensemble.ts'
import { startEnsemble } from '../support/ensemble.ts'
import { startZooKeeper, type ZooKeeper } from '../support/zookeeper.ts'
import { Comparer, type Difference } from './compare.ts'
import { deliberate, type Deliberate, type DeliberateName } from './deliberate.ts'
import { tickTimeMs } from './guest.ts'
import { type ClientView, Player, type Seen } from './player.ts'
import type { Request, Step } from './script.ts'
import { Tally } from './tally.ts'

const sessionTimeoutMs = { min: 2000, max: 400_000 }

/** super:secret */
const superDigest = 'super:lK75jTNcA+U9vtVEw5vB51mj/w4='

export interface Outcome {
  /** Steps played. */
  readonly played: number
  readonly difference?: Difference
  readonly step?: Step
}

export class Duel {
  readonly #apache: ZooKeeper
  readonly #ours: Ensemble
  /** How often each deliberate difference was met. */
  readonly met = new Map<DeliberateName, number>()
  readonly tally = new Tally()
  /** Is told every step and what came of it. */
  trace: ((step: Step, apache: Seen, ours: Seen) => void) | undefined

  private constructor(apache: ZooKeeper, ours: Ensemble) {
    this.#apache = apache
    this.#ours = ours
  }

  static async start(members: number): Promise<Duel> {
    const apache = await startZooKeeper({
      members,
      tickTimeMs,
      config: [
        `minSessionTimeout=${sessionTimeoutMs.min}`,
        `maxSessionTimeout=${sessionTimeoutMs.max}`,
      ],
      properties: {
        'zookeeper.extendedTypesEnabled': 'true',
        'zookeeper.DigestAuthenticationProvider.superDigest': superDigest,
        'zookeeper.enforceQuota': 'true',
        // The reaper would use up zxids of its own; a disk that is waited for only takes longer.
        'znode.container.checkIntervalMs': '86400000',
        'zookeeper.forceSync': 'no',
      },
    })
    try {
      const ours = await startEnsemble({
        members,
        env: {
          TICK_TIME: String(tickTimeMs),
          MIN_SESSION_TIMEOUT: String(sessionTimeoutMs.min),
          MAX_SESSION_TIMEOUT: String(sessionTimeoutMs.max),
          SUPER_DIGEST: superDigest,
          ENFORCE_QUOTA: 'true',
          CONTAINER_CHECK_INTERVAL_MS: '86400000',
        },
      })
      return new Duel(apache, ours)
    } catch (error) {
      await apache.stop()
      throw error
    }
  }

  /** Where the real one keeps its txns. */
  get apacheFolder(): string {
    return this.#apache.folders[0] ?? ''
  }

  async stop(): Promise<void> {
    await Promise.all([this.#apache.stop(), this.#ours.stop()])
  }

  /** Ends at the first difference that nobody declared. */
  async fight(steps: readonly Step[], clients: number): Promise<Outcome> {
    const apache = new Player(this.#apache.zkPorts, clients, {
      translated: (request, client) => this.#translated(request, client),
      isAlone: (request) => this.#isAlone(request),
    })
    const ours = new Player(this.#ours.zkPorts, clients, {
      translated: (request) => request,
      isAlone: () => false,
    })
    const both = [apache, ours] as const
    const comparer = new Comparer(this.met)
    await Promise.all(both.map((player) => player.begin()))
    let played = 0
    try {
      for (const step of steps) {
        const [theirs, own] = await Promise.all([apache.play(step), ours.play(step)])
        played += 1
        this.trace?.(step, theirs, own)
        this.tally.note(step, own)
        const difference = comparer.difference(step, theirs, own)
        if (difference !== undefined) return { played, difference, step }
      }
      return { played }
    } finally {
      await Promise.all(both.map((player) => player.end()))
    }
  }

  /** What 3.8.0 must be asked, so that its answer is the one of 3.9.5. */
  #translated(request: Request, client: ClientView): Request {
    for (const [name, rule] of Object.entries(deliberate)) {
      const other = (rule as Deliberate).ask?.(request, client)
      if (other === undefined) continue
      this.#meet(name as DeliberateName)
      return other
    }
    return request
  }

  #isAlone(request: Request): boolean {
    for (const [name, rule] of Object.entries(deliberate)) {
      if ((rule as Deliberate).isAlone?.(request) !== true) continue
      this.#meet(name as DeliberateName)
      return true
    }
    return false
  }

  #meet(name: DeliberateName): void {
    this.met.set(name, (this.met.get(name) ?? 0) + 1)
  }
}
