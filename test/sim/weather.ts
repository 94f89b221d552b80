/** The faults of a whole system: what befalls calls, connections, disks, clocks and alarms, drawn anew for each seed. */
import type { Random } from '../../src/core/shared/random.ts'
import type { Sid } from '../../src/core/shared/units.ts'
import { drawSwarm, StormyNetwork, type Swarm, type Tally } from './faults.ts'
import { CalmNetwork, type Network, pair } from './network.ts'

/** What becomes of a call between two places. */
export type Fate =
  | { readonly type: 'arrives'; readonly delayMs: number }
  /** It came, and came again. */
  | { readonly type: 'repeated'; readonly delayMs: number }
  /** The caller hears that it failed; it never came. */
  | { readonly type: 'lost'; readonly delayMs: number }
  /** The caller hears that it failed; it came all the same. */
  | { readonly type: 'answerLost'; readonly delayMs: number }
  /** Nobody hears anything, until the caller's deadline. */
  | { readonly type: 'silent' }

export interface Weather extends Network {
  fate(from: number, to: number): Fate
  /** Does the member die before its next effect? */
  diesNow(): boolean
  /** Of so many writes that were not safe, how many are there after a crash? */
  keptWrites(unsafe: number): number
  /** Does the actor hear that a client's connection closed? */
  tellsClose(): boolean
  timerLatenessMs(): number
  alarmLatenessMs(): number
  ringsTwice(): boolean
}

export interface SystemSwarm extends Swarm {
  readonly callsLostPerMille: number
  readonly answersLostPerMille: number
  readonly callsSilentPerMille: number
  readonly callsRepeatedPerMille: number
  readonly callDelayMaxMs: number
  readonly deathsPerTenThousand: number
  readonly closesUntoldPercent: number
  readonly timerLatenessMaxMs: number
  readonly alarmLatenessMaxMs: number
  readonly alarmTwicePercent: number
  readonly weather: Readonly<Record<SystemHappening, number>>
  readonly clients: number
  readonly actors: number
  readonly webSocketPercent: number
  readonly sessionTimeoutMs: number
  readonly pauseMaxMs: number
  readonly cacheBytes: number
  readonly snapCountTxns: number
  /** Messages of a turn wait for its gated writes, as the runtime's output gate has it. */
  readonly hasOutputGate: boolean
  readonly stormMs: number
}

export type SystemHappening =
  | 'crash'
  | 'evict'
  | 'restart'
  | 'partition'
  | 'heal'
  | 'break'
  | 'actorCrash'
  | 'hibernate'
  | 'vanish'
  | 'leave'
  | 'cutClient'
  | 'clockJump'
  | 'electionStorm'
  | 'calm'

export function drawSystemSwarm(random: Random): SystemSwarm {
  const oneOf = <T>(...choices: readonly T[]): T => choices[random.next() % choices.length] as T
  const swarm = drawSwarm(random)
  return {
    ...swarm,
    everyMs: oneOf(25, 60, 150),
    callsLostPerMille: oneOf(0, 0, 2, 15),
    answersLostPerMille: oneOf(0, 0, 2, 15),
    callsSilentPerMille: oneOf(0, 0, 1, 5),
    callsRepeatedPerMille: oneOf(0, 0, 2),
    callDelayMaxMs: oneOf(2, 20, 100),
    deathsPerTenThousand: oneOf(0, 0, 2, 10),
    closesUntoldPercent: oneOf(0, 30, 100),
    timerLatenessMaxMs: oneOf(0, 10, 200),
    alarmLatenessMaxMs: oneOf(0, 50, 1000),
    alarmTwicePercent: oneOf(0, 20),
    weather: {
      crash: oneOf(0, 1, 4),
      evict: oneOf(0, 1, 3),
      restart: oneOf(4, 8),
      partition: oneOf(0, 1, 3),
      heal: oneOf(1, 4),
      break: oneOf(0, 1, 3),
      actorCrash: oneOf(0, 0, 1),
      hibernate: oneOf(0, 1, 3),
      vanish: oneOf(0, 0, 1),
      leave: oneOf(0, 1),
      cutClient: oneOf(0, 1, 3),
      clockJump: oneOf(0, 0, 1),
      electionStorm: oneOf(0, 0, 1),
      calm: oneOf(1, 8),
    },
    clients: oneOf(2, 3, 4),
    actors: oneOf(1, 2, 3),
    webSocketPercent: oneOf(0, 50, 100),
    sessionTimeoutMs: oneOf(600, 1000, 3000),
    pauseMaxMs: oneOf(20, 100, 400),
    cacheBytes: oneOf(0, 1000, Infinity),
    snapCountTxns: oneOf(5, 30, 100_000),
    hasOutputGate: oneOf(true, false),
    stormMs: random.between(800, 4000),
  }
}

export class StormyWeather extends StormyNetwork implements Weather {
  readonly #swarm: SystemSwarm

  constructor(swarm: SystemSwarm, random: Random, faults: Tally) {
    super(swarm, random, faults)
    this.#swarm = swarm
  }

  fate(from: number, to: number): Fate {
    const isCut = this.cut.size > 0 && this.cut.has(pair(from as Sid, to as Sid))
    const delayMs = this.#delayMs()
    if (isCut) return this.#happens('lost', { type: 'lost', delayMs })
    const swarm = this.#swarm
    let drawn = this.random.between(0, 999)
    if (drawn < swarm.callsLostPerMille)
      return this.#happens('call lost', { type: 'lost', delayMs })
    drawn -= swarm.callsLostPerMille
    if (drawn < swarm.answersLostPerMille) {
      return this.#happens('answer lost', { type: 'answerLost', delayMs })
    }
    drawn -= swarm.answersLostPerMille
    if (drawn < swarm.callsSilentPerMille) return this.#happens('call silent', { type: 'silent' })
    drawn -= swarm.callsSilentPerMille
    if (drawn < swarm.callsRepeatedPerMille) {
      return this.#happens('call repeated', { type: 'repeated', delayMs })
    }
    return { type: 'arrives', delayMs }
  }

  diesNow(): boolean {
    const { deathsPerTenThousand } = this.#swarm
    return deathsPerTenThousand > 0 && this.random.between(0, 9999) < deathsPerTenThousand
  }

  keptWrites(unsafe: number): number {
    if (unsafe === 0) return 0
    const kept = this.random.between(0, 1) === 0 ? 0 : this.random.between(0, unsafe)
    if (kept < unsafe) this.faults.count('writes lost', unsafe - kept)
    if (kept > 0 && kept < unsafe) this.faults.count('writes torn')
    return kept
  }

  tellsClose(): boolean {
    const isTold = this.random.between(0, 99) >= this.#swarm.closesUntoldPercent
    if (!isTold) this.faults.count('close untold')
    return isTold
  }

  timerLatenessMs(): number {
    const { timerLatenessMaxMs } = this.#swarm
    if (timerLatenessMaxMs === 0 || this.random.between(0, 7) > 0) return 0
    this.faults.count('timer late')
    return this.random.between(0, timerLatenessMaxMs)
  }

  alarmLatenessMs(): number {
    const { alarmLatenessMaxMs } = this.#swarm
    if (alarmLatenessMaxMs === 0) return 0
    this.faults.count('alarm late')
    return this.random.between(0, alarmLatenessMaxMs)
  }

  ringsTwice(): boolean {
    const rings = this.random.between(0, 99) < this.#swarm.alarmTwicePercent
    if (rings) this.faults.count('alarm twice')
    return rings
  }

  #delayMs(): number {
    if (this.random.between(0, 3) > 0) return this.random.between(1, 2)
    return this.random.between(1, this.#swarm.callDelayMaxMs)
  }

  #happens(kind: string, fate: Fate): Fate {
    this.faults.count(kind)
    return fate
  }
}

export class CalmWeather extends CalmNetwork implements Weather {
  fate(): Fate {
    return { type: 'arrives', delayMs: 1 }
  }

  diesNow(): boolean {
    return false
  }

  keptWrites(unsafe: number): number {
    return unsafe
  }

  tellsClose(): boolean {
    return true
  }

  timerLatenessMs(): number {
    return 0
  }

  alarmLatenessMs(): number {
    return 0
  }

  ringsTwice(): boolean {
    return false
  }
}
