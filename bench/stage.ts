/** One target with its sessions open and its tree set up: everything a run needs. */
import { setTimeout as delay } from 'node:timers/promises'
import {
  type Cell,
  childrenCount,
  childrenPath,
  createdPath,
  locksPath,
  multiPath,
  multiSize,
  nodePath,
  root,
  sessionsMax,
  workOf,
} from './cells.ts'
import { busySeconds, cpuSeconds, MemoryWatch } from './cpu.ts'
import { emptyTally, LoadSession, type Tally, type Until, type Work } from './generator.ts'
import { Histogram } from './statistics.ts'
import type { Target } from './targets.ts'
import {
  createOperation,
  type CreateWork,
  deleteOperation,
  existsWork,
  multisWork,
  numbered,
  setWork,
} from './works.ts'
import type { MultiOperation } from '../src/core/wire/multi.ts'

/** What one run of one cell on one target gave. */
export interface Run {
  readonly replies: number
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Of the processes that serve. */
  readonly cpuSecondsPer1000: number
  readonly peakMemoryMb: number
  readonly errors: number
  /** Cores that neither the servers nor the load used but somebody else: above 0.1 or so, the figures are not to be trusted. */
  readonly otherCores: number
}

const answeredWithinMs = 120_000

export class Stage {
  readonly target: Target
  #sessions: LoadSession[] = []

  constructor(target: Target) {
    this.target = target
  }

  /** The nodes that every cell works on; another target of the same servers may have made them. */
  async setUp(): Promise<void> {
    await this.open(1)
    const [session] = this.#sessions
    if (!this.target.greets || session === undefined) return
    const tally = emptyTally(new Histogram())
    await session.run(existsWork(root), 1, { requests: 1 }, tally)
    if (tally.errors === 0) return
    const top = [root, childrenPath, locksPath]
    const nodes = Array.from({ length: sessionsMax }, (_, nth) => nth)
    await this.#multis([top.map((path) => createOperation(path, 0))])
    await this.#multis([
      Array.from({ length: childrenCount }, (_, at) =>
        createOperation(numbered(childrenPath, at), 0),
      ),
      ...nodes.map((nth) => [
        createOperation(nodePath(nth), 0),
        createOperation(createdPath(nth), 0),
        ...Array.from({ length: multiSize }, (_, at) => createOperation(multiPath(nth, at), 0)),
      ]),
    ])
  }

  /** As many sessions as a shape has. */
  async open(count: number): Promise<void> {
    await this.#leave(this.#sessions.splice(count))
    const opened = Array.from({ length: count - this.#sessions.length }, (_, at) =>
      LoadSession.open(this.target.dial(this.#sessions.length + at), this.target.greets),
    )
    this.#sessions.push(...(await Promise.all(opened)))
  }

  /** Sessions that wait for their turn must not expire. */
  async ping(): Promise<void> {
    if (!this.target.greets) return
    await Promise.all(this.#sessions.map((session) => session.ping()))
  }

  /** Plays a cell for a while. Everything before and after, such as clearing away what was created, is not counted. */
  async run(cell: Cell, seconds: number): Promise<Run> {
    const works = this.#sessions.map((_, nth) => workOf(cell, nth))
    if (cell.operation === 'get' || cell.operation === 'mix') {
      await this.#all((nth) => setWork(nodePath(nth), cell.bytes), 1, { requests: 1 })
    }
    const pids = this.target.pids()
    const memory = new MemoryWatch(pids)
    const before = { cpu: cpuSeconds(pids), own: process.cpuUsage(), busy: busySeconds() }
    const since = performance.now()
    const tally = await this.#all((nth) => works[nth] as Work, cell.window, {
      deadlineMs: since + seconds * 1000,
    })
    const wallSeconds = (performance.now() - since) / 1000
    const cpu = cpuSeconds(pids) - before.cpu
    const { user, system } = process.cpuUsage(before.own)
    const others = busySeconds() - before.busy - cpu - (user + system) / 1e6
    if (cell.operation === 'create') await this.#clear(works as CreateWork[])
    return {
      replies: tally.replies,
      perSecond: tally.replies / ((tally.lastReplyAt - since) / 1000),
      p50Ms: tally.latencies.quantile(0.5),
      p99Ms: tally.latencies.quantile(0.99),
      cpuSecondsPer1000: (cpu / tally.replies) * 1000,
      peakMemoryMb: memory.peakMb(),
      errors: tally.errors,
      otherCores: Math.max(0, others / wallSeconds),
    }
  }

  async close(): Promise<void> {
    await this.open(0)
  }

  async #leave(sessions: readonly LoadSession[]): Promise<void> {
    if (this.target.greets) await Promise.all(sessions.map((session) => session.close()))
    else for (const session of sessions) session.destroy()
  }

  async #all(work: (nth: number) => Work, window: number, until: Until): Promise<Tally> {
    const tally = emptyTally(new Histogram())
    const runs = this.#sessions.map((session, nth) => session.run(work(nth), window, until, tally))
    await this.#answered(Promise.all(runs))
    if (tally.errors > 0) console.error(`${this.target.name}: wrong reply: ${tally.firstError}`)
    return tally
  }

  /** Nothing that is asked here takes so long: a reply is missing. */
  async #answered(runs: Promise<unknown>): Promise<void> {
    const giveUp = new AbortController()
    const late = delay(answeredWithinMs, undefined, { signal: giveUp.signal }).then(() => {
      throw new Error(`${this.target.name}: no reply within ${answeredWithinMs / 1000} s`)
    })
    await Promise.race([runs, late]).finally(() => {
      late.catch(() => undefined) // it was given up
      giveUp.abort()
    })
  }

  async #clear(works: readonly CreateWork[]): Promise<void> {
    const tally = emptyTally(new Histogram())
    await Promise.all(
      this.#sessions.map((session, nth) => {
        const { created } = works[nth] as CreateWork
        const paths = Array.from({ length: created }, (_, at) => numbered(createdPath(nth), at))
        const multis = inHundreds(paths.map(deleteOperation))
        if (multis.length === 0) return Promise.resolve()
        return session.run(multisWork(multis), 4, { requests: multis.length }, tally)
      }),
    )
    if (tally.errors > 0) throw new Error(`${this.target.name}: ${tally.firstError}`)
  }

  async #multis(multis: readonly (readonly MultiOperation[])[]): Promise<void> {
    const tally = emptyTally(new Histogram())
    const until = { requests: multis.length }
    await this.#sessions[0]?.run(multisWork(multis), 10, until, tally)
    if (tally.errors > 0) throw new Error(`${this.target.name}: ${tally.firstError}`)
  }
}

function inHundreds<T>(items: readonly T[]): T[][] {
  const pieces: T[][] = []
  for (let at = 0; at < items.length; at += 100) pieces.push(items.slice(at, at + 100))
  return pieces
}
