/** What a larger tree and a longer log cost: writes, memory, and the time to be there again after everything was killed. */
import { createOperation, multisWork, numbered } from '../works.ts'
import { root } from '../cells.ts'
import { LoadSession } from '../generator.ts'
import { dialTcp } from '../links.ts'
import type { Server } from '../servers.ts'
import { Stage } from '../stage.ts'
import { targetOf } from '../targets.ts'
import { ask, firstWriteMs, settledMemoryMb } from './asking.ts'
import { rateOf } from './rates.ts'
import {
  add,
  type Context,
  type Driven,
  type Measure,
  type Scenario,
  withServers,
} from './scenario.ts'

const shape = { sessions: 50, window: 10 }
const measureOf = (name: string, title: string, unit: string, axis: string): Measure => ({
  name,
  title,
  unit,
  better: unit === 'sets/s' ? 'more' : 'less',
  axis,
  points: [],
})

export const treeScenario: Scenario = {
  name: 'tree',
  title: 'a tree of 1,000 to 1,000,000 znodes: set, memory, restart',

  async play(context: Context) {
    const axis = 'znodes'
    const rates = measureOf(
      'tree-set',
      'setData of 100 bytes, 50 × 10, by tree size',
      'sets/s',
      axis,
    )
    const memory = measureOf(
      'znode-memory',
      'Memory of a znode of 100 bytes, each member',
      'bytes',
      axis,
    )
    const restart = measureOf(
      'tree-restart',
      'From the start of a killed ensemble to its first acknowledged write',
      'ms',
      axis,
    )
    await alone(context, async ({ server, target }) => {
      await new Stage(target).setUp()
      const before = await settledMemoryMb(server)
      let made = 0
      for (const size of context.isQuick ? [1000, 100_000] : [1000, 100_000, 1_000_000]) {
        if (context.isStopping()) return
        await grow(server, made, size, context)
        made = size
        const bytes = ((await settledMemoryMb(server)) - before) * 1024 * 1024
        // Of fewer nodes the noise of a heap would be told.
        if (size >= 100_000) add(memory, size, server.name, bytes / size / server.zkPorts.length)
        await measure(server, size, context, rates, restart)
      }
    })
    return [rates, memory, restart]
  },
}

export const logScenario: Scenario = {
  name: 'log',
  title: 'a log of 1,000 to 100,000 txns: set, restart',

  async play(context: Context) {
    const axis = 'txns since the beginning'
    const rates = measureOf(
      'log-set',
      'setData of 100 bytes, 50 × 10, by length of the log',
      'sets/s',
      axis,
    )
    const restart = measureOf(
      'log-restart',
      'From the start of a killed ensemble to its first acknowledged write',
      'ms',
      axis,
    )
    await alone(context, async ({ server, target }) => {
      let stage = new Stage(target)
      await stage.setUp()
      let txns = 0
      for (const length of [1000, 10_000, 100_000]) {
        while (txns < length && !context.isStopping()) {
          const { replies } = await rateOf(stage, 'set', shape, { seconds: length / 100_000 })
          txns += replies
        }
        if (context.isStopping()) return
        await stage.close()
        await measure(server, length, context, rates, restart)
        stage = new Stage(await targetOf(server, server.name))
      }
      await stage.close()
    })
    return [rates, restart]
  },
}

/** One target at a time: what another one keeps in memory and does behind its writes would be measured too. */
async function alone(context: Context, play: (driven: Driven) => Promise<void>): Promise<void> {
  for (const name of context.targets) {
    await withServers({ ...context, targets: [name] }, {}, async ([driven]) => {
      if (driven !== undefined && !context.isStopping()) await play(driven)
    })
  }
}

async function measure(
  server: Server,
  x: number,
  context: Context,
  rates: Measure,
  restart: Measure,
): Promise<void> {
  const stage = new Stage(await targetOf(server, server.name))
  for (let round = 0; round < context.rounds; round++) {
    const { perSecond } = await rateOf(stage, 'set', shape, context)
    add(rates, x, server.name, perSecond)
    context.tell(`${server.name}, ${x} ${rates.axis}: ${perSecond.toFixed(0)} sets/s`)
  }
  await stage.close()
  const start = await server.killAll()
  const since = performance.now()
  const [ms] = await Promise.all([firstWriteMs(server.zkPorts, since), start()])
  add(restart, x, server.name, ms)
  context.tell(`${server.name}, ${x} ${rates.axis}: there again after ${ms.toFixed(0)} ms`)
}

const perParent = 1000

/** Nodes `from` to `to`, a thousand under each parent. */
async function grow(server: Server, from: number, to: number, { tell }: Context): Promise<void> {
  const session = await LoadSession.open(dialTcp(server.zkPorts[0] as number))
  const told = performance.now()
  for (let parent = Math.ceil(from / perParent); parent < to / perParent; parent++) {
    const path = `${root}/tree-${parent}`
    const nodes = Array.from({ length: perParent }, (_, at) =>
      createOperation(numbered(path, at), 100),
    )
    const multis = [
      [createOperation(path, 0)],
      ...Array.from({ length: 10 }, (_, at) => nodes.slice(at * 100, (at + 1) * 100)),
    ]
    await ask(session, multisWork(multis), { requests: multis.length }, multis.length)
  }
  await session.close()
  tell(`${server.name}: ${to} znodes, in ${((performance.now() - told) / 1000).toFixed(1)} s`)
}
