/** The faults of a whole system: what befalls calls, connections, disks, clocks and alarms, drawn anew for each seed. */
import type { CheckpointRules } from '../../src/core/checkpoint-schedule.ts'
import { limits } from '../../src/core/shared/limits.ts'
import type { Random } from '../../src/core/shared/random.ts'
import { asSid, type Sid } from '../../src/core/shared/units.ts'
import { drawSwarm, StormyNetwork, type Swarm, type Tally } from './faults.ts'
import { CalmNetwork, type Network } from './network.ts'

/** What becomes of a call between two places. */
export type Fate =
  | { readonly type: 'arrives'; readonly delayMs: number }
  /** It came, and came again. */
  | { readonly type: 'repeated'; readonly delayMs: number }
  /** The caller hears that it failed; it never came. */
  | { readonly type: 'lost'; readonly delayMs: number }
  /** The caller hears that it failed; it came all the same. */
  | { readonly type: 'answerLost'; readonly delayMs: number }
  /** The caller hears that it failed; it comes long after. */
  | { readonly type: 'late'; readonly delayMs: number; readonly failsMs: number }
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
  readonly theme: string
  readonly callsLostPerMille: number
  readonly answersLostPerMille: number
  readonly callsSilentPerMille: number
  readonly callsRepeatedPerMille: number
  readonly callsLatePerMille: number
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
  /** Of what clients ask. */
  readonly syncsPercent: number
  /** Between two reconfigurations of a client, on average; Infinity: there are none. */
  readonly reconfigPauseMs: number
  /** Beside the first members. */
  readonly spares: readonly Sid[]
  readonly cacheBytes: number
  readonly checkpoints: CheckpointRules
  /** Messages of a turn wait for its gated writes, as the runtime's output gate has it. */
  readonly hasOutputGate: boolean
  readonly stormMs: number
}

/** How long a call may be under way that its caller gave up: less than the longest session timeout, as the host has it. */
const [failsMaxMs, lateMaxMs] = [500, 1500]
export const callMaxMs = failsMaxMs + lateMaxMs

export type SystemHappening =
  | 'crash'
  | 'evict'
  | 'restart'
  | 'partition'
  | 'cutLeader'
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

/** What a storm is about: some faults are rare beside all others, and some harm only in company. */
type Theme = Partial<Omit<SystemSwarm, 'weather'>> & {
  readonly weather: Partial<SystemSwarm['weather']>
}

const themes: Readonly<Record<string, Theme>> = {
  anything: { weather: {} },
  /** A leader is cut off and does not notice, while others elect another. */
  'a stale leader': {
    silentPartitionsPercent: 100,
    everyMs: 150,
    noteDelayMaxMs: 50,
    sessionTimeoutMs: 400,
    weather: { cutLeader: 2, heal: 1, partition: 0, crash: 0, vanish: 1, leave: 1, calm: 12 },
  },
  /** Nothing breaks, but members are behind one another. */
  'a slow network': {
    linkDelayMaxMs: 150,
    linksBrokenPerMille: 0,
    callDelayMaxMs: 20,
    noteDelayMaxMs: 50,
    diskDelayMaxMs: 10,
    deathsPerTenThousand: 0,
    callsLostPerMille: 0,
    callsSilentPerMille: 0,
    pauseMaxMs: 20,
    syncsPercent: 40,
    clients: 4,
    weather: {
      crash: 0,
      evict: 0,
      partition: 0,
      cutLeader: 0,
      break: 0,
      electionStorm: 0,
      calm: 20,
    },
  },
  /** Leaders come back with what only they have logged. */
  'tails of logs': {
    silentPartitionsPercent: 30,
    diskDelayMaxMs: 100,
    weather: { cutLeader: 3, crash: 3, restart: 6, heal: 3, electionStorm: 1, calm: 4 },
  },
  /** Sessions begin and end all the time. */
  'clients that come and go': {
    clients: 4,
    sessionTimeoutMs: 600,
    answersLostPerMille: 30,
    callsLatePerMille: 15,
    weather: { vanish: 3, leave: 3, cutClient: 4, break: 1, evict: 2, calm: 8 },
  },
  /** Members are added, removed, and change their roles. */
  'members that change': {
    reconfigPauseMs: 200,
    pauseMaxMs: 100,
    weather: { cutLeader: 1, crash: 1, restart: 8, heal: 4, calm: 8 },
  },
  /** Actors die in the middle of everything. */
  'actors that die': {
    sessionTimeoutMs: 600,
    callsLatePerMille: 30,
    weather: { actorCrash: 4, vanish: 1, cutClient: 1, calm: 8 },
  },
  /** Actors hibernate with a reply astray. */
  'actors that sleep': {
    clients: 2,
    actors: 3,
    webSocketPercent: 100,
    pauseMaxMs: 3000,
    callsSilentPerMille: 40,
    weather: { hibernate: 10, calm: 8 },
  },
}

export function drawSystemSwarm(random: Random): SystemSwarm {
  const names = Object.keys(themes)
  const drawn = drawAnything(random)
  const theme = names[random.next() % (names.length + 3)] ?? 'anything'
  const about = themes[theme] as Theme
  return { ...drawn, ...about, theme, weather: { ...drawn.weather, ...about.weather } }
}

function drawAnything(random: Random): SystemSwarm {
  const oneOf = <T>(...choices: readonly T[]): T => choices[random.next() % choices.length] as T
  const swarm = drawSwarm(random)
  const { first } = swarm.config
  return {
    ...swarm,
    theme: 'anything',
    everyMs: oneOf(25, 60, 150, 400),
    callsLostPerMille: oneOf(0, 0, 2, 15),
    answersLostPerMille: oneOf(0, 0, 2, 15),
    callsSilentPerMille: oneOf(0, 0, 1, 5),
    callsRepeatedPerMille: oneOf(0, 0, 2),
    callsLatePerMille: oneOf(0, 0, 5),
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
      cutLeader: oneOf(0, 0, 1),
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
    syncsPercent: oneOf(5, 5, 30),
    reconfigPauseMs: oneOf(Infinity, Infinity, Infinity, 500),
    spares: Array.from({ length: oneOf(0, 0, 1, 2) }, (_, at) => asSid(first.sids.length + at + 1)),
    cacheBytes: oneOf(0, 1000, Infinity),
    checkpoints: checkpointRulesOf(oneOf(5, 30, 100_000)),
    hasOutputGate: oneOf(true, false),
    stormMs: random.between(800, 4000),
  }
}

/** Where checkpoints are rare, rows are written early. */
const checkpointRulesOf = (snapCountTxns: number): CheckpointRules =>
  snapCountTxns < 100_000
    ? { ...limits, snapCountTxns }
    : { snapCountTxns, unwrittenNodesMax: 3, rowsAtOnceMax: 2, rowsAtLastMax: 2 }

export class StormyWeather extends StormyNetwork implements Weather {
  readonly #swarm: SystemSwarm

  constructor(swarm: SystemSwarm, random: Random, faults: Tally) {
    super(swarm, random, faults)
    this.#swarm = swarm
  }

  fate(from: number, to: number): Fate {
    const delayMs = this.#delayMs()
    if (this.isSilent(from, to)) return this.#happens('call cut off silently', { type: 'silent' })
    if (this.isCut(from, to)) return this.#happens('call cut off', { type: 'lost', delayMs })
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
    drawn -= swarm.callsRepeatedPerMille
    if (drawn >= swarm.callsLatePerMille) return { type: 'arrives', delayMs }
    const failsMs = this.random.between(1, failsMaxMs)
    const lateMs = failsMs + this.random.between(1, lateMaxMs)
    return this.#happens('call late', { type: 'late', delayMs: lateMs, failsMs })
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
