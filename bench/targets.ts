/** What is driven: a server by one of the ways that lead to it, or the echo. */
import { startEcho } from './echo.ts'
import { type Dial, dialTcp, dialWebSocket } from './links.ts'
import { leaderOf, type Server, type ServerName, startServer } from './servers.ts'

export const targetNames = [
  'apache',
  'serve',
  'websocket',
  'wrangler',
  'echo',
  'actor-echo',
] as const
export type TargetName = (typeof targetNames)[number]

export interface Target {
  readonly name: string
  /** A server with a session at each connection; an echo has none. */
  readonly greets: boolean
  /** Dials for the `nth` session: over the members by turns, followers first, because most sessions meet a follower. */
  dial(nth: number): Dial
  /** Of all processes that serve. */
  pids(): readonly number[]
}

export interface StartedTargets {
  readonly targets: readonly Target[]
  stop(): Promise<void>
}

export const isEcho = (name: TargetName): boolean => name === 'echo' || name === 'actor-echo'

/** WebSocket sessions go to the same processes as `serve`’s. */
export const serverOf = (name: TargetName): ServerName | undefined => {
  switch (name) {
    case 'apache':
    case 'serve':
    case 'wrangler':
      return name
    case 'websocket':
      return 'serve'
    case 'echo':
    case 'actor-echo':
      return undefined
  }
}

export async function startTargets(names: readonly TargetName[]): Promise<StartedTargets> {
  const stops: (() => Promise<void>)[] = []
  const stop = async (): Promise<void> => {
    for (const one of stops.splice(0)) await one()
  }
  const targets: Target[] = []
  const servers = new Map<ServerName, Server>()
  try {
    for (const name of names.filter((one) => !isEcho(one))) {
      const serverName = serverOf(name) as ServerName
      const server = servers.get(serverName) ?? (await startServer(serverName, 3))
      if (!servers.has(serverName)) stops.push(() => server.stop())
      servers.set(serverName, server)
      targets.push(await targetOf(server, name))
    }
    if (names.some(isEcho)) {
      const echo = await startEcho()
      stops.push(() => echo.stop())
      targets.push(...[echo.worker, echo.actor].filter(({ name }) => names.includes(name)))
    }
  } catch (error) {
    await stop()
    throw error
  }
  return { targets, stop }
}

/** A server by TCP, or by WebSocket. */
export async function targetOf(server: Server, name: TargetName): Promise<Target> {
  const leader = await leaderOf(server)
  const indexes = server.zkPorts.map((_, index) => index)
  const order = [...indexes.filter((index) => index !== leader), leader]
  const memberOf = (nth: number): number => order[nth % order.length] as number
  return {
    name,
    greets: true,
    dial: (nth) => {
      const index = memberOf(nth)
      return name === 'websocket'
        ? dialWebSocket(server.webSocketUrl(index))
        : dialTcp(server.zkPorts[index] as number)
    },
    pids: () => server.pids(),
  }
}
