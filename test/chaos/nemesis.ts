/** What goes wrong, drawn from a seed: the same seed on the same kind of machines does the same in the same order. */
import { setTimeout as delay } from 'node:timers/promises'
import { Random } from '../../src/core/shared/random.ts'
import type { Machines } from './machines.ts'

/** Called when the leader was killed, before anything is healed. */
export type LeaderKilled = (how: string) => void

interface Fault {
  readonly name: string
  /** Out of the sum of all. */
  readonly weight: number
  readonly run: () => Promise<void>
}

export class Nemesis {
  readonly #machines: Machines
  readonly #random: Random
  readonly #leaderKilled: LeaderKilled
  readonly #faults: readonly Fault[]
  readonly counts = new Map<string, number>()

  constructor(machines: Machines, seed: number, leaderKilled: LeaderKilled) {
    this.#machines = machines
    this.#random = new Random(seed)
    this.#leaderKilled = leaderKilled
    this.#faults = this.#possibleFaults()
  }

  /** One fault after the other until it is time; then everything is whole again. */
  async rage(untilMs: number): Promise<void> {
    for (let round = 0; performance.now() < untilMs; round++) {
      // Each fault there is comes once before chance takes over.
      const fault = this.#faults[round] ?? this.#drawn()
      await delay(this.#random.between(1000, 3000))
      await this.#inflict(fault)
    }
  }

  /** The leader is killed again and again. */
  async storm(everyMs: number, untilMs: number): Promise<void> {
    const fault = this.#faults.find(({ name }) => name.startsWith('kill the leader'))
    while (fault !== undefined && performance.now() < untilMs) {
      const next = performance.now() + everyMs
      // Not healed before the next: what a lease keeps away stays away.
      await this.#count(fault.name, fault.run())
      await delay(Math.max(0, next - performance.now()))
    }
    await this.#machines.formed()
  }

  async #inflict({ name, run }: Fault): Promise<void> {
    await this.#count(name, run())
    await this.#machines.formed()
  }

  async #count(name: string, run: Promise<void>): Promise<void> {
    console.log(`${new Date().toISOString().slice(11, 19)} ${name}`)
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1)
    await run
  }

  #drawn(): Fault {
    const sum = this.#faults.reduce((all, { weight }) => all + weight, 0)
    let left = this.#random.between(1, sum)
    for (const fault of this.#faults) {
      left -= fault.weight
      if (left <= 0) return fault
    }
    return this.#faults[0] as Fault
  }

  #one(): number {
    const { processes } = this.#machines
    return processes[this.#random.between(0, processes.length - 1)] ?? 1
  }

  async #leader(): Promise<number> {
    for (;;) {
      const leader = await this.#machines.leader()
      if (leader !== undefined) return leader
      await delay(100)
    }
  }

  #possibleFaults(): readonly Fault[] {
    const machines = this.#machines
    const faults: Fault[] = [this.#killTheLeader(), this.#killOne(), this.#killAll()]
    if (machines.stop !== undefined) faults.push(this.#restartOne(machines.stop))
    if (machines.abortMember !== undefined) faults.push(...this.#aborts(machines.abortMember))
    if (machines.corrupt !== undefined) faults.push(this.#corruptRow(machines.corrupt))
    if (machines.fillDisk !== undefined) faults.push(this.#fillDisk(machines.fillDisk))
    if (machines.freezeBucket !== undefined) faults.push(this.#freezeBucket(machines.freezeBucket))
    // The long ones last.
    return [...faults, this.#freezeOne(), this.#freezeLong()]
  }

  /** Where the members share one process, the leader's actor is what can be killed of it. */
  #killTheLeader(): Fault {
    const { processes, abortMember } = this.#machines
    if (processes.length === 1 && abortMember !== undefined) {
      return {
        name: 'kill the leader’s actor',
        weight: 4,
        run: async () => {
          const leader = await this.#leader()
          await abortMember(leader)
          this.#leaderKilled('abort')
        },
      }
    }
    return {
      name: 'kill the leader -9',
      weight: 4,
      run: async () => {
        const process = this.#machines.processOf(await this.#leader())
        const killed = this.#machines.kill9(process)
        this.#leaderKilled('kill -9')
        await killed
        await delay(1000)
        await this.#machines.start(process)
      },
    }
  }

  #killOne(): Fault {
    return {
      name: 'kill one process -9',
      weight: 2,
      run: async () => {
        const process = this.#one()
        await this.#machines.kill9(process)
        await delay(this.#random.between(0, 2000))
        await this.#machines.start(process)
      },
    }
  }

  #killAll(): Fault {
    const { processes, kill9, start } = this.#machines
    return {
      name: 'kill all processes -9',
      weight: 1,
      run: async () => {
        await Promise.all(processes.map((process) => kill9(process)))
        await Promise.all(processes.map((process) => start(process)))
      },
    }
  }

  #freezeOne(): Fault {
    return {
      name: 'freeze one process for a moment',
      weight: 2,
      run: () => this.#freeze(this.#one(), this.#random.between(500, 5000)),
    }
  }

  #freezeLong(): Fault {
    return {
      name: 'freeze the leader’s process for 25 s',
      weight: 1,
      run: async () => this.#freeze(this.#machines.processOf(await this.#leader()), 25_000),
    }
  }

  async #freeze(process: number, ms: number): Promise<void> {
    this.#machines.freeze(process)
    await delay(ms)
    this.#machines.thaw(process)
  }

  #restartOne(stop: (process: number) => Promise<void>): Fault {
    return {
      name: 'restart one process',
      weight: 2,
      run: async () => {
        const process = this.#one()
        await stop(process)
        await this.#machines.start(process)
      },
    }
  }

  #aborts(abort: (member: number) => Promise<void>): readonly Fault[] {
    const members = this.#machines.ports.map((_, at) => at + 1)
    return [
      {
        name: 'abort a member’s actor',
        weight: 2,
        run: () => abort(members[this.#random.between(0, members.length - 1)] ?? 1),
      },
      {
        name: 'election storm: abort the leader’s actor 5 times',
        weight: 1,
        run: async () => {
          for (let time = 0; time < 5; time++) {
            await abort(await this.#leader())
            await delay(this.#random.between(50, 400))
          }
        },
      },
      {
        name: 'abort every member’s actor',
        weight: 1,
        run: async () => {
          await Promise.all(members.map((member) => abort(member)))
        },
      },
    ]
  }

  #corruptRow(corrupt: (member: number) => string): Fault {
    return {
      name: 'damage a log row of one member while all are down',
      weight: 1,
      run: async () => {
        const { processes, kill9, start } = this.#machines
        await Promise.all(processes.map((process) => kill9(process)))
        console.log(`         ${corrupt(this.#random.between(1, 3))}`)
        await Promise.all(processes.map((process) => start(process)))
      },
    }
  }

  #fillDisk(fill: (process: number, isFull: boolean) => void): Fault {
    return {
      name: 'fill a disk for 3 s',
      weight: 1,
      run: async () => {
        const process = this.#one()
        fill(process, true)
        await delay(3000)
        fill(process, false)
      },
    }
  }

  #freezeBucket(freeze: (isFrozen: boolean) => void): Fault {
    return {
      name: 'freeze the bucket for 3 s',
      weight: 1,
      run: async () => {
        freeze(true)
        await delay(3000)
        freeze(false)
      },
    }
  }
}
