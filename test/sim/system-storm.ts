/** One seed of the whole system: faults for a while and nothing may go wrong, then calm and everything must go on. */
import { invariant } from '../../src/core/shared/assert.ts'
import { Random } from '../../src/core/shared/random.ts'
import { asSid, type Sid } from '../../src/core/shared/units.ts'
import { Tally, withQuorumOnly } from './faults.ts'
import type { Survived } from './storm.ts'
import { System } from './system.ts'
import {
  callMaxMs,
  drawSystemSwarm,
  StormyWeather,
  type SystemHappening,
  type SystemSwarm,
} from './weather.ts'

/** Ticks of calm within which a write must reach everybody: a lonely member asks again after a minute at most. */
const progressTicks = 650
/** Ticks after which nothing of a session may be left whose client is gone. */
const expiryTicks = 60

export function survive(seed: number, watch?: (line: string) => void): Survived {
  const random = new Random(seed)
  const swarm = withQuorumOnly(drawSystemSwarm(random), seed)
  const faults = new Tally()
  const weather = new StormyWeather(swarm, random, faults)
  faults.count(`storm: ${swarm.theme}`)
  const system = new System(swarm, weather, random, faults)
  if (watch) system.watch(watch)
  system.start()
  while (system.clock.nowMs < swarm.stormMs) {
    system.members.run(random.between(1, swarm.everyMs * 2))
    happen(draw(swarm, random), system, weather, random)
  }
  const recoveryMs = recover(system, swarm)
  wind(system, swarm)
  const { laws, members } = system
  const { operations, events, guardedWrites } = laws
  const { elections, snapshots, truncations, applied } = members.zab
  const reconfigurations = laws.membership.changes
  const seen = { elections, snapshots, truncations, reconfigurations, txns: applied.length }
  const counts = {
    ...seen,
    operations,
    events,
    guardedWrites,
    ...Object.fromEntries(faults.counts),
  }
  return { counts, recoveryMs }
}

function draw({ weather }: SystemSwarm, random: Random): SystemHappening {
  const rows = Object.entries(weather) as [SystemHappening, number][]
  let point = random.between(0, rows.reduce((sum, [, weight]) => sum + weight, 0) - 1)
  for (const [name, weight] of rows) {
    if (point < weight) return name
    point -= weight
  }
  return 'calm'
}

function happen(
  what: SystemHappening,
  system: System,
  weather: StormyWeather,
  random: Random,
): void {
  const { members, actors, clients } = system
  const oneOf = <T>(choices: readonly T[]): T => choices[random.next() % choices.length] as T
  const any = (): Sid => oneOf(members.sids)
  if (what !== 'calm') system.onLine?.(`— ${what}`)
  switch (what) {
    case 'calm':
      return undefined
    case 'crash':
      return members.crash(any())
    case 'evict': {
      const sid = any()
      members.evict(sid)
      return members.start(sid)
    }
    case 'restart':
      for (const sid of members.sids) if (random.between(0, 1) === 0) members.start(sid)
      return undefined
    case 'partition': {
      const places = [...members.sids, ...actors.map(({ place }) => place)]
      return weather.divide(places, new Set(places.filter(() => random.between(0, 1) === 0)))
    }
    case 'cutLeader':
      return cutLeader(system, weather, random)
    case 'heal':
      return weather.heal()
    case 'break':
      return members.breakLinks(any(), any())
    case 'actorCrash':
      return system.actorLosesMemory(oneOf(actors), 'crash')
    case 'hibernate': {
      const actor = oneOf(actors)
      return system.mayHibernate(actor) ? system.actorLosesMemory(actor, 'hibernate') : undefined
    }
    case 'vanish':
      oneOf(clients).vanish()
      system.addClient()
      return undefined
    case 'leave':
      oneOf(clients).leave()
      system.addClient()
      return undefined
    case 'cutClient':
      return oneOf(clients).drop()
    case 'clockJump': {
      const places = [...members.sids, ...actors.map(({ place }) => place)]
      return members.jumpClock(oneOf<number>(places), random.between(-2000, 3000))
    }
    case 'electionStorm':
      weather.faults.count('election storm')
      for (const { sid } of members.leaders) members.evict(sid)
      for (const sid of members.sids) if (random.between(0, 1) === 0) members.start(sid)
      return undefined
  }
}

/** The leader alone, or with less than half of the others; actors are on either side, its clients too. */
function cutLeader({ members, actors }: System, weather: StormyWeather, random: Random): void {
  const [leader] = members.leaders
  if (leader === undefined) return
  const others = members.sids.filter((sid) => sid !== leader.sid)
  const withIt = others.filter(() => random.between(0, 2) === 0).slice(0, (others.length - 1) / 2)
  const places = actors.map(({ place }) => place)
  const side = new Set<number>([leader.sid, ...withIt])
  for (const place of places) if (random.between(0, 1) === 0) side.add(place)
  weather.faults.count('leader cut off')
  if (random.between(0, 1) === 0) {
    weather.faults.count('link half open')
    members.breakFarEnds(leader.sid, new Set(others.filter((sid) => !side.has(sid))))
  }
  weather.divide([...members.sids, ...places.filter(() => random.between(0, 1) === 0)], side)
}

/** Everybody runs, nothing is lost any more: a leader serves, all follow it, and every client gets answers. */
function recover(system: System, { config }: SystemSwarm): number {
  const { members } = system
  system.onLine?.('— calm')
  const calmMs = members.clock.nowMs
  system.calm()
  for (const sid of members.sids) members.start(sid)
  while (members.clock.nowMs < calmMs + progressTicks * config.tickTimeMs) {
    members.run(100)
    if (!isWhole(system)) continue
    const before = system.clients.map(({ acknowledged }) => acknowledged)
    members.run(500)
    const goOn = system.clients.every(
      (client, at) => client.isGone || client.acknowledged > (before[at] ?? 0),
    )
    if (goOn && isWhole(system)) return members.clock.nowMs - calmMs
  }
  const stand = [...members.nodes.values()].map(({ sid, member, isAlive }) => {
    const { phase, round, leader, epoch, acceptedEpoch } = member
    return `${sid}: ${isAlive} ${phase.type} round=${round} leader=${leader} epoch=${epoch}/${acceptedEpoch}`
  })
  const clients = system.clients.map(
    (client) => `${client.place}: gone=${client.isGone} connected=${client.isConnected}`,
  )
  invariant(
    false,
    `Progress: after the storm everybody goes on\n${[...stand, ...clients].join('\n')}`,
  )
  return Infinity
}

function isWhole({ members }: System): boolean {
  const serving = members.sids.filter((sid) => members.node(sid)?.member.isServing)
  return members.leaders.length === 1 && serving.length === members.sids.length
}

/** Clients go, one way or the other: nothing of them may be left, and all members must be the model. */
function wind(system: System, { config, sessionTimeoutMs }: SystemSwarm): void {
  const { members, clients, laws } = system
  clients.forEach((client, at) => {
    if (at % 2 === 0) client.vanish()
    else client.leave()
  })
  const untilMs = members.clock.nowMs + sessionTimeoutMs + expiryTicks * config.tickTimeMs
  // What came late may still begin a session.
  members.run(callMaxMs)
  while (members.clock.nowMs < untilMs && hasSessions(system)) members.run(200)
  members.run(1000)
  const left = [...laws.model.sessions].map((id) => id.toString(16))
  invariant(left.length === 0, `Sessions: without clients they end (${left.join(' ')} live)`)
  const { applied } = members.zab
  for (const sid of members.sids) {
    const node = members.node(sid)
    invariant(node?.applied === applied.at(-1)?.zxid, `Progress: ${sid} has applied everything`)
    compareTree(system, asSid(sid))
  }
}

/** Somebody is still judged, or should be. */
function hasSessions({ laws, actors }: System): boolean {
  return laws.model.sessions.size > 0 || actors.some(({ sessionCount }) => sessionCount > 0)
}

/** Every node of a member's tree is the model's, to the last field. */
function compareTree({ members, laws }: System, sid: Sid): void {
  const tree = members.node(sid)?.replica.tree
  const { model } = laws
  const paths = model.paths
  invariant(tree?.ephemeralCount === 0, `Sessions: ${sid} has no ephemeral left`)
  for (const path of paths) {
    const [is, should] = [tree.get(path), model.at(path)]
    const isSame =
      is?.mzxid === should?.mzxid &&
      is?.pzxid === should?.pzxid &&
      is?.version === should?.version &&
      is?.childCount === should?.children.length
    invariant(isSame, `Agreement: ${sid} has ${path} as the model has it`)
  }
  // ZooKeeper's own three nodes below /zookeeper, and the root counted twice.
  const own = 4 + 1
  const count = tree.nodeCount - paths.length
  invariant(count === own - 1, `Agreement: ${sid} has no node beside the model's (${count})`)
}
