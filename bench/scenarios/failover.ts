/** The leader dies while a client of each follower writes without a pause: how long nobody is told of a write. */
import { setTimeout as delay } from 'node:timers/promises'
import { until } from '../../test/support/until.ts'
import { root } from '../cells.ts'
import { emptyTally, LoadSession } from '../generator.ts'
import { dialTcp } from '../links.ts'
import { leaderOf, type Server } from '../servers.ts'
import { Histogram } from '../statistics.ts'
import { setWork } from '../works.ts'
import { openFirst } from './asking.ts'
import { add, type Context, type Measure, type Scenario, withServers } from './scenario.ts'

export const failoverScenario: Scenario = {
  name: 'failover',
  title: 'the leader dies',

  async play(context: Context) {
    const outage: Measure = {
      name: 'failover',
      title: 'From the death of the leader until the next acknowledged write',
      unit: 'ms',
      better: 'less',
      axis: '',
      points: [],
    }
    await withServers(context, {}, async (driven) => {
      for (const { target } of driven) (await openFirst(target)).destroy()
      for (let round = 0; round < context.rounds; round++) {
        for (const { server } of driven) {
          if (context.isStopping()) return
          const ms = await outageMs(server)
          add(outage, 0, server.name, ms)
          context.tell(`${server.name}: ${ms.toFixed(0)} ms`)
        }
      }
    })
    return [outage]
  },
}

/** How long the last acknowledgement may be away before writing counts as going on again, ms. */
const flowingMs = 50
const watchedMs = 2000

async function outageMs(server: Server): Promise<number> {
  const leader = await until('one leader', () => leaderOf(server))
  const ports = server.zkPorts.filter((_, index) => index !== leader)
  const acknowledged: number[] = []
  const stopping = new AbortController()
  const writers = ports.map((port) => writeOn(port, acknowledged, stopping.signal))
  const flows = (): boolean => performance.now() - (acknowledged.at(-1) ?? 0) < flowingMs
  try {
    await until('writes', flows)
    const since = performance.now()
    const revive = await server.killMember(leader)
    await until('writes after the leader', () => performance.now() - since > watchedMs && flows(), {
      withinMs: 60_000,
      everyMs: 10,
    })
    const seen = acknowledged.filter((at) => at >= since)
    await revive()
    return longestGap([since, ...seen])
  } finally {
    stopping.abort()
    await Promise.all(writers)
  }
}

const longestGap = (times: readonly number[]): number =>
  times.reduce((longest, at, nth) => Math.max(longest, at - (times[nth - 1] ?? at)), 0)

/** Writes, and comes back when it was thrown out, until it is told to stop. */
async function writeOn(port: number, acknowledged: number[], signal: AbortSignal): Promise<void> {
  const work = { ...setWork(root, 100), replied: () => void acknowledged.push(performance.now()) }
  while (!signal.aborted) {
    try {
      const session = await LoadSession.open(dialTcp(port))
      const end = (): void => session.destroy()
      signal.addEventListener('abort', end)
      await session.run(work, 1, {}, emptyTally(new Histogram())).finally(end)
    } catch {
      await delay(10) // there is no leader yet, or we are to stop
    }
  }
}
