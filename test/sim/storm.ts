/** One seed: faults for a while and nothing may go wrong, then calm and everything must go on. */
import { invariant } from '../../src/core/shared/assert.ts'
import { limits } from '../../src/core/shared/limits.ts'
import { Random } from '../../src/core/shared/random.ts'
import type { Sid } from '../../src/core/shared/units.ts'
import { drawSwarm, type Happening, StormyNetwork, type Swarm, withQuorumOnly } from './faults.ts'
import { CalmNetwork } from './network.ts'
import { World } from './world.ts'

/** A lonely member asks again after a minute at most. */
const calmLimitMs = 130_000

export interface Survived {
  /** What was seen and what was done to it, by kind. */
  readonly counts: Readonly<Record<string, number>>
  /** How long it took after the storm until everybody went on, in virtual time. */
  readonly recoveryMs: number
}

export function survive(seed: number, watch?: (line: string) => void): Survived {
  const random = new Random(seed)
  const swarm = withEndingCounters(withQuorumOnly(drawSwarm(random), seed), seed)
  const network = new StormyNetwork(swarm, random)
  const world = new World(swarm.config, network)
  if (watch) {
    world.onTurn = (sid, turn) => {
      for (const line of turn.log) watch(`${world.clock.nowMs} ${sid}: ${line}`)
    }
  }
  for (const sid of world.sids) world.start(sid)
  const stormMs = random.between(2_000, 20_000)
  while (world.clock.nowMs < stormMs) {
    world.run(random.between(1, swarm.everyMs * 2))
    happen(draw(swarm, random), world, network, random)
  }
  const { elections, snapshots, truncations } = world.checkers
  const recoveryMs = recover(world)
  const txns = world.checkers.applied.length
  const faults = Object.fromEntries(network.faults.counts)
  return { counts: { elections, snapshots, truncations, txns, ...faults }, recoveryMs }
}

/** In every eighth storm an epoch has few zxids, so that it ends by itself again and again. */
function withEndingCounters(swarm: Swarm, seed: number): Swarm {
  if (seed % 8 !== 0) return swarm
  const counterStart = limits.counterMax - limits.zxidsReserved - 10
  return { ...swarm, config: { ...swarm.config, counterStart } }
}

function draw({ weights }: Swarm, random: Random): Happening {
  const rows = Object.entries(weights) as [Happening, number][]
  let point = random.between(0, rows.reduce((sum, [, weight]) => sum + weight, 0) - 1)
  for (const [name, weight] of rows) {
    if (point < weight) return name
    point -= weight
  }
  return 'propose'
}

function happen(what: Happening, world: World, network: StormyNetwork, random: Random): void {
  const { sids } = world
  const any = (): Sid => sids[random.next() % sids.length] as Sid
  switch (what) {
    case 'propose':
      for (const { sid } of world.leaders) world.propose(sid, random.between(1, 3))
      return
    case 'crash':
      return world.crash(any())
    case 'restart':
      for (const sid of sids) if (!world.node(sid) && random.between(0, 1) === 0) world.start(sid)
      return
    case 'partition':
      return network.divide(sids, new Set(sids.filter(() => random.between(0, 1) === 0)))
    case 'heal':
      return network.heal()
    case 'break':
      return world.breakLinks(any(), any())
    case 'damage':
      return world.damage(any())
    case 'checkpoint':
      return world.checkpoint(any())
  }
}

/** Everybody runs, nothing is lost any more: a leader must serve and a new txn reach everybody. */
function recover(world: World): number {
  const calmMs = world.clock.nowMs
  world.network = new CalmNetwork()
  for (const sid of world.sids) if (!world.node(sid)) world.start(sid)
  while (world.clock.nowMs < calmMs + calmLimitMs) {
    world.run(100)
    const [leader, ...rivals] = world.leaders
    if (!leader || rivals.length > 0) continue
    const everybody = world.sids.map((sid) => world.node(sid))
    const serving = everybody.filter((node) => node?.member.isServing)
    if (serving.length < world.sids.length) continue
    const last = world.propose(leader.sid, 1)
    world.run(1_000)
    if (everybody.every((node) => node?.applied === last)) return world.clock.nowMs - calmMs
  }
  const stand = world.sids.map((sid) => {
    const { phase, round, leader, epoch, acceptedEpoch } = world.node(sid)?.member ?? {}
    return `${sid}: ${phase?.type} round=${round} leader=${leader} epoch=${epoch}/${acceptedEpoch}`
  })
  invariant(false, `Progress: after the storm a txn reaches everybody\n${stand.join('\n')}`)
  return Infinity
}
