/** What several scenarios ask of servers. */
import { spawnSync } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import { root } from '../cells.ts'
import { memoryMb } from '../cpu.ts'
import { emptyTally, LoadSession, type Tally, type Until, type Work } from '../generator.ts'
import { dialTcp } from '../links.ts'
import type { Server } from '../servers.ts'
import { Histogram } from '../statistics.ts'
import type { Target } from '../targets.ts'
import { createOperation, multisWork, setWork } from '../works.ts'

/** Throws when anything was refused. */
export async function ask(
  session: LoadSession,
  work: Work,
  until: Until = { requests: 1 },
  window = 1,
): Promise<Tally> {
  const tally = emptyTally(new Histogram())
  await session.run(work, window, until, tally)
  if (tally.errors > 0) throw new Error(`wrong reply: ${tally.firstError}`)
  return tally
}

/** A session that has made the node everything else is under. */
export async function openFirst(target: Target): Promise<LoadSession> {
  const session = await LoadSession.open(target.dial(0))
  await ask(session, multisWork([[createOperation(root, 100)]]))
  return session
}

/** Opens sessions, some at a time as a crowd of clients would. `before`: those that are open already. */
export async function openMany(
  target: Target,
  count: number,
  before: readonly LoadSession[] = [],
): Promise<LoadSession[]> {
  const sessions: LoadSession[] = []
  let begun = 0
  // Those that came first must not expire while the last come.
  let lost: unknown
  const pinging = setInterval(() => {
    Promise.all([...before, ...sessions].map((session) => session.ping())).catch(
      (error: unknown) => (lost = error),
    )
  }, 10_000)
  const opener = async (): Promise<void> => {
    while (begun < count && lost === undefined) {
      const nth = begun++
      sessions.push(await LoadSession.open(target.dial(nth)))
    }
  }
  await Promise.all(Array.from({ length: 100 }, opener)).finally(() => clearInterval(pinging))
  if (lost !== undefined) throw lost
  return sessions
}

/** Resident memory once what can be given back was: a JVM is asked to collect, workerd does that by itself at rest. */
export async function settledMemoryMb(server: Server): Promise<number> {
  if (server.name === 'apache') {
    for (const pid of server.pids()) spawnSync('jcmd', [String(pid), 'GC.run'], { stdio: 'ignore' })
  }
  await delay(2000)
  return memoryMb(server.pids())
}

/** How long after `since` any of these members acknowledges a write, ms. */
export async function firstWriteMs(ports: readonly number[], since: number): Promise<number> {
  const asking = new AbortController()
  try {
    return (await Promise.any(ports.map((port) => firstWriteAt(port, asking.signal)))) - since
  } finally {
    asking.abort()
  }
}

const attemptMs = 2000

async function firstWriteAt(port: number, signal: AbortSignal): Promise<number> {
  while (!signal.aborted) {
    const attempt = writeOnce(port)
    const acknowledged = await Promise.race([
      attempt.acknowledged.catch(() => undefined),
      delay(attemptMs, undefined),
    ])
    attempt.end()
    if (acknowledged !== undefined) return acknowledged
    await delay(10)
  }
  throw new Error('somebody else was first')
}

function writeOnce(port: number): { acknowledged: Promise<number>; end: () => void } {
  let session: LoadSession | undefined
  const acknowledged = LoadSession.open(dialTcp(port)).then(async (opened) => {
    session = opened
    await ask(opened, setWork(root, 100))
    return performance.now()
  })
  return { acknowledged, end: () => session?.destroy() }
}
