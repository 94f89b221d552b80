/** What does not fit into a table of cells: each scenario starts its own servers and measures one thing over one axis. */
import { type Server, type ServerName, startServer } from '../servers.ts'
import { serverOf, type Target, type TargetName, targetOf } from '../targets.ts'

export interface Scenario {
  readonly name: string
  readonly title: string
  play(context: Context): Promise<readonly Measure[]>
}

export interface Context {
  readonly targets: readonly TargetName[]
  readonly rounds: number
  readonly seconds: number
  /** Fewer and smaller points. */
  readonly isQuick: boolean
  readonly tell: (line: string) => void
  readonly isStopping: () => boolean
}

/** One figure over one axis, by target. */
export interface Measure {
  readonly name: string
  readonly title: string
  readonly unit: string
  readonly better: 'less' | 'more'
  /** What `x` counts; empty where there is one point only. */
  readonly axis: string
  readonly points: Point[]
}

export interface Point {
  readonly x: number
  /** By target, in the order of the rounds. */
  readonly values: Record<string, number[]>
}

export function add(measure: Measure, x: number, target: string, value: number): void {
  let point = measure.points.find((one) => one.x === x)
  if (point === undefined) measure.points.push((point = { x, values: {} }))
  ;(point.values[target] ??= []).push(value)
}

export interface Driven {
  readonly server: Server
  readonly target: Target
}

/** Starts a server for each of the targets that this can be said of, and stops them whatever happens. */
export async function withServers(
  { targets, tell }: Context,
  { members = 3, suits = isServerByTcp }: Partial<ServerWish>,
  play: (driven: readonly Driven[]) => Promise<void>,
): Promise<void> {
  const servers: Server[] = []
  try {
    const driven: Driven[] = []
    for (const name of targets.filter(suits)) {
      tell(`starting ${name}, members: ${members}`)
      const server = await startServer(serverOf(name) as ServerName, members)
      servers.push(server)
      driven.push({ server, target: await targetOf(server, name) })
    }
    await play(driven)
  } finally {
    for (const server of servers) await server.stop()
  }
}

interface ServerWish {
  readonly members: number
  readonly suits: (name: TargetName) => boolean
}

export const isServer = (name: TargetName): boolean => serverOf(name) !== undefined
const isServerByTcp = (name: TargetName): boolean => isServer(name) && name !== 'websocket'
