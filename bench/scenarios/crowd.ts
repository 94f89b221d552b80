/** Very many sessions: how fast they come, what they weigh at rest, and how soon all of them hear of a change. */
import { readFileSync } from 'node:fs'
import { root } from '../cells.ts'
import type { TargetName } from '../targets.ts'
import type { LoadSession } from '../generator.ts'
import { setWork, watchWork } from '../works.ts'
import { ask, openFirst, openMany, settledMemoryMb } from './asking.ts'
import {
  add,
  type Context,
  isServer,
  type Measure,
  type Scenario,
  withServers,
} from './scenario.ts'

const crowdWanted = 10_000

/**
 * Whoever has the sockets has a file open for each, workerd two, and some hundred others; how many it may have is the
 * machine's say.
 */
function crowdSize(name: TargetName): number {
  const limit = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
  const files = limit === undefined ? Infinity : Number(limit) - 1000
  const sessions = files / (name === 'websocket' ? 2 : 1)
  return Math.min(crowdWanted, Math.floor(sessions / 1000) * 1000)
}

export const crowdScenario: Scenario = {
  name: 'crowd',
  title: '10,000 sessions: connect rate, memory at rest, watch fan-out',

  async play(context: Context) {
    const connect: Measure = {
      name: 'connect',
      title: 'Sessions opened, 100 at a time',
      unit: 'sessions/s',
      better: 'more',
      axis: '',
      points: [],
    }
    const memory: Measure = {
      name: 'session-memory',
      title: 'Memory of a session at rest',
      unit: 'KB',
      better: 'less',
      axis: '',
      points: [],
    }
    const fanOut: Measure = {
      name: 'fan-out',
      title: 'From a set until the last watching session has heard of it',
      unit: 'ms',
      better: 'less',
      axis: 'watching sessions',
      points: [],
    }
    // One at a time: ten thousand sessions of another would be pinging meanwhile.
    for (const name of context.targets.filter(isServer)) {
      if (context.isStopping()) break
      const crowd = crowdSize(name)
      if (crowd < crowdWanted)
        context.tell(`${name}: ${crowd} sessions: the limit of open files allows no more`)
      const alone = { ...context, targets: [name] }
      await withServers(alone, { suits: isServer }, async ([driven]) => {
        if (driven === undefined) return
        const { server, target } = driven
        const writer = await openFirst(target)
        const early = await openMany(target, 200) // what is loaded and compiled once
        const before = await settledMemoryMb(server)
        const since = performance.now()
        const sessions = await openMany(target, crowd, [writer, ...early])
        const rate = crowd / ((performance.now() - since) / 1000)
        add(connect, 0, name, rate)
        context.tell(`${name}: ${rate.toFixed(0)} sessions/s`)
        const kb = ((await settledMemoryMb(server)) - before) * 1024
        add(memory, 0, name, kb / crowd)
        context.tell(`${name}: ${(kb / crowd).toFixed(1)} KB a session`)
        for (const count of [1, 100, crowd]) {
          for (let round = 0; round < context.rounds; round++) {
            await Promise.all([writer, ...early, ...sessions].map((session) => session.ping()))
            const ms = await lastHeardMs(writer, sessions.slice(0, count))
            add(fanOut, count, name, ms)
            context.tell(`${name}: ${count} have heard after ${ms.toFixed(1)} ms`)
          }
        }
        for (const session of [writer, ...early, ...sessions]) session.destroy()
      })
    }
    return [connect, memory, fanOut]
  },
}

async function lastHeardMs(writer: LoadSession, sessions: readonly LoadSession[]): Promise<number> {
  await Promise.all(sessions.map((session) => ask(session, watchWork(root))))
  let waiting = sessions.length
  const heard = new Promise<number>((resolve) => {
    for (const session of sessions) {
      session.onEvent = () => {
        waiting -= 1
        if (waiting === 0) resolve(performance.now())
      }
    }
  })
  const since = performance.now()
  const [last] = await Promise.all([heard, ask(writer, setWork(root, 100))])
  return last - since
}
