/** Which faults a seed has: each seed draws its own set (swarm testing), then lives through them. */
import type { Random } from '../../src/core/shared/random.ts'
import { asEpoch, asSid, type Sid } from '../../src/core/shared/units.ts'
import { firstConfiguration } from '../../src/core/zab/configuration.ts'
import type { ZabConfig } from '../../src/core/zab/member.ts'
import type { Notification, Packet } from '../../src/core/zab/messages.ts'
import { type Network, pair } from './network.ts'

/** Counts by kind. */
export class Tally {
  readonly counts = new Map<string, number>()

  count(kind: string, times = 1): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + times)
  }

  add(other: Iterable<readonly [string, number]>): void {
    for (const [kind, times] of other) this.count(kind, times)
  }
}

export interface Swarm {
  readonly config: Omit<ZabConfig, 'sid'>
  readonly notesLostPercent: number
  readonly notesRepeatedPercent: number
  /** Notes that vote for just anybody: whom the election elects must not matter to safety. */
  readonly notesForgedPercent: number
  readonly noteDelayMaxMs: number
  readonly linkDelayMaxMs: number
  /** Links that break, in a thousand messages. */
  readonly linksBrokenPerMille: number
  /** Partitions that break nothing: whoever is cut off notices only by waiting. */
  readonly silentPartitionsPercent: number
  readonly diskDelayMaxMs: number
  /** How often something happens, on average. */
  readonly everyMs: number
  /** Weights of what happens. */
  readonly weights: Readonly<Record<Happening, number>>
}

export type Happening =
  | 'propose'
  | 'crash'
  | 'restart'
  | 'partition'
  | 'heal'
  | 'break'
  | 'checkpoint'
  | 'damage'

export function drawSwarm(random: Random): Swarm {
  const oneOf = <T>(...choices: readonly T[]): T => choices[random.next() % choices.length] as T
  const voters = oneOf(3, 3, 5)
  const observers = oneOf(0, 0, 1, 2)
  const sids = Array.from({ length: voters + observers }, (_, index) => asSid(index + 1))
  return {
    config: {
      first: firstConfiguration({
        voters: sids.slice(0, voters),
        observers: sids.slice(voters),
      }),
      tickTimeMs: 200,
      initLimitTicks: 10,
      syncLimitTicks: 5,
      finalizeWaitMs: oneOf(0, 20, 200),
      historyTxnsMax: oneOf(2, 20, 500),
    },
    notesLostPercent: oneOf(0, 5, 40),
    notesRepeatedPercent: oneOf(0, 20),
    notesForgedPercent: oneOf(0, 0, 30, 90),
    noteDelayMaxMs: oneOf(2, 50, 500, 10_000),
    linkDelayMaxMs: oneOf(2, 20, 150),
    linksBrokenPerMille: oneOf(0, 0, 2, 20),
    silentPartitionsPercent: oneOf(0, 0, 30, 100),
    diskDelayMaxMs: oneOf(1, 10, 100, 600),
    everyMs: oneOf(20, 60, 200),
    weights: {
      propose: oneOf(5, 20, 60),
      crash: oneOf(0, 1, 4),
      restart: oneOf(2, 6),
      partition: oneOf(0, 1, 3),
      heal: oneOf(1, 3),
      break: oneOf(0, 1, 4),
      checkpoint: oneOf(0, 2, 10),
      damage: oneOf(0, 0, 1, 3),
    },
  }
}

/** With every other seed proposals wait for their commit where they are not needed. Not drawn: old seeds stay what they were. */
export const withQuorumOnly = <S extends Swarm>(swarm: S, seed: number): S => ({
  ...swarm,
  config: { ...swarm.config, proposeToQuorum: seed % 2 === 1 },
})

export class StormyNetwork implements Network {
  readonly cut = new Set<string>()
  /** What is said there is lost, and nobody hears that it was. */
  readonly silent = new Set<string>()
  /** What was done to whom, by kind. */
  readonly faults: Tally
  protected readonly random: Random
  readonly #swarm: Swarm

  constructor(swarm: Swarm, random: Random, faults: Tally = new Tally()) {
    this.#swarm = swarm
    this.random = random
    this.faults = faults
  }

  noteDelaysMs(from: Sid, to: Sid): readonly number[] {
    const { notesLostPercent, notesRepeatedPercent, noteDelayMaxMs } = this.#swarm
    const isLost = this.isCut(from, to) || this.isSilent(from, to)
    if (isLost || this.#percent() < notesLostPercent) {
      this.faults.count('note lost')
      return []
    }
    const delayMs = this.#delay(noteDelayMaxMs)
    if (this.#percent() >= notesRepeatedPercent) return [delayMs]
    this.faults.count('note repeated')
    return [delayMs, this.#delay(noteDelayMaxMs)]
  }

  forge(note: Notification): Notification {
    if (note.vote.leader === 0 || this.#percent() >= this.#swarm.notesForgedPercent) return note
    this.faults.count('note forged')
    const { voters } = this.#swarm.config.first
    const leader = voters[this.random.next() % voters.length] as Sid
    const epoch = asEpoch(this.random.between(0, 1) * 1_000_000)
    return { ...note, vote: { ...note.vote, leader, epoch } }
  }

  forgePacket(packet: Packet): Packet {
    return packet
  }

  linkDelayMs(from: Sid, to: Sid): number | undefined {
    if (this.isCut(from, to) || this.isCut(to, from)) return undefined
    if (this.isSilent(from, to)) return Infinity
    if (this.random.between(0, 999) < this.#swarm.linksBrokenPerMille) {
      this.faults.count('link broken')
      return undefined
    }
    return this.#delay(this.#swarm.linkDelayMaxMs)
  }

  connectDelayMs(from: Sid, to: Sid): number | undefined {
    return this.isSilent(to, from) ? undefined : finite(this.linkDelayMs(from, to))
  }

  /** Some places hear nothing of the others, or are not heard. */
  divide(places: readonly number[], side: ReadonlySet<number>): void {
    const isOneWay = this.random.between(0, 3) === 0
    const isSilent = this.#percent() < this.#swarm.silentPartitionsPercent
    const kind = isOneWay ? 'one-way partition' : 'partition'
    this.faults.count(isSilent ? `silent ${kind}` : kind)
    const cut = isSilent ? this.silent : this.cut
    for (const from of places) {
      for (const to of places) {
        if (side.has(from) === side.has(to) || (isOneWay && side.has(to))) continue
        cut.add(pair(from as Sid, to as Sid))
      }
    }
  }

  heal(): void {
    this.cut.clear()
    this.silent.clear()
  }

  protected isCut(from: number, to: number): boolean {
    return this.cut.size > 0 && this.cut.has(pair(from as Sid, to as Sid))
  }

  protected isSilent(from: number, to: number): boolean {
    return this.silent.size > 0 && this.silent.has(pair(from as Sid, to as Sid))
  }

  diskDelayMs(): number {
    return this.#delay(this.#swarm.diskDelayMaxMs)
  }

  /** Mostly short, sometimes as long as it gets. */
  #delay(maxMs: number): number {
    if (this.random.between(0, 3) > 0) return Math.min(maxMs, this.random.between(1, 3))
    const delayMs = this.random.between(1, maxMs)
    if (delayMs > 3) this.faults.count('delay')
    return delayMs
  }

  #percent(): number {
    return this.random.between(0, 99)
  }
}

/** A link is not made where nothing is heard. */
const finite = (delayMs: number | undefined): number | undefined =>
  delayMs === Infinity ? undefined : delayMs
