/** A peer may say anything at any time: it costs a link, and never the member. */
import { expect, test } from 'vitest'
import { Random } from '../../src/core/shared/random.ts'
import { asEpoch, asSid, type Sid, type Zxid, zxidOf } from '../../src/core/shared/units.ts'
import { type Configuration, firstConfiguration } from '../../src/core/zab/configuration.ts'
import type { Notification, Packet, ServerState } from '../../src/core/zab/messages.ts'
import { batchOf } from '../sim/disk.ts'
import { CalmNetwork } from '../sim/network.ts'
import { World } from '../sim/world.ts'

const config = {
  first: firstConfiguration({ voters: [1, 2, 3].map(asSid), observers: [asSid(4)] }),
  tickTimeMs: 200,
  initLimitTicks: 5,
  syncLimitTicks: 3,
  finalizeWaitMs: 20,
  historyTxnsMax: 5,
}

test('lies of peers cost their links and nothing else', { timeout: 30_000 }, () => {
  let lies = 0
  for (let seed = 1; seed <= 200; seed++) {
    const random = new Random(seed)
    const network = new LyingNetwork(random)
    const world = new World(config, network)
    world.isHonest = false
    for (const sid of world.sids) world.start(sid)
    for (let step = 0; step < 60; step++) {
      world.run(random.between(1, 60))
      const sid = world.sids[random.between(0, 3)] as Sid
      if (random.between(0, 3) === 0) world.propose(sid, 2)
      if (random.between(0, 9) === 0) world.checkpoint(sid)
      if (random.between(0, 9) === 0) world.crash(sid)
      if (!world.node(sid)) world.start(sid)
    }
    lies += network.lies
  }
  expect(lies).toBeGreaterThan(1000)
})

class LyingNetwork extends CalmNetwork {
  readonly #random: Random
  lies = 0

  constructor(random: Random) {
    super()
    this.#random = random
  }

  override forgePacket(packet: Packet): Packet {
    if (this.#random.between(0, 29) > 0) return packet
    this.lies += 1
    return lie(this.#random)
  }

  override forge(note: Notification): Notification {
    if (this.#random.between(0, 9) > 0) return note
    const pick = (): number => this.#random.between(0, 5)
    const states: readonly ServerState[] = ['looking', 'following', 'leading', 'observing']
    return {
      from: asSid(pick()),
      state: states[pick() % 4] as ServerState,
      vote: { leader: asSid(pick()), zxid: someZxid(this.#random), epoch: asEpoch(pick()) },
      round: pick(),
      asks: pick() === 0,
      configuration: pick() === 0 ? someConfiguration(this.#random) : undefined,
      pending: pick() === 0 ? someConfiguration(this.#random) : undefined,
    }
  }
}

function lie(random: Random): Packet {
  const epoch = asEpoch(random.between(0, 6))
  const zxid = someZxid(random)
  const batch = batchOf(zxidOf(epoch, random.between(1, 5)), ['a', 'b'].slice(random.between(0, 1)))
  const all: readonly Packet[] = [
    { type: 'followerInfo', acceptedEpoch: epoch, version: zxid },
    { type: 'observerInfo', acceptedEpoch: epoch, version: zxid },
    { type: 'leaderInfo', epoch },
    { type: 'ackEpoch', currentEpoch: asEpoch(epoch - 1), lastZxid: zxid },
    { type: 'diff', to: zxid },
    { type: 'trunc', to: zxid },
    { type: 'snap', zxid },
    { type: 'snapChunk', bytes: batch.bytes, last: random.between(0, 1) === 0 },
    { type: 'snapAck' },
    { type: 'needSnap' },
    { type: 'newLeader', epoch, configuration: someConfiguration(random) },
    { type: 'ackNewLeader', epoch, lastZxid: zxid },
    { type: 'upToDate', committed: zxid },
    { type: 'proposal', batch },
    { type: 'ack', zxid },
    { type: 'commit', zxid },
    { type: 'inform', batch },
    { type: 'commitAndActivate', zxid, leader: asSid(random.between(1, 5)) },
    { type: 'informAndActivate', batch, leader: asSid(random.between(1, 5)) },
    { type: 'ping' },
    { type: 'pong' },
    { type: 'request', bytes: new Uint8Array(3) },
    { type: 'revalidate', number: 1, session: 1n, attachment: 1 },
    { type: 'revalidated', number: 1, alive: true },
    { type: 'sync', number: 1 },
    { type: 'synced', number: 1 },
  ]
  return all[random.next() % all.length] as Packet
}

/** Of the same members in force since any time: others would be a conspiracy, not a lie. */
const someConfiguration = (random: Random): Configuration =>
  config.first.withVersion(someZxid(random))

const someZxid = (random: Random): Zxid =>
  zxidOf(asEpoch(random.between(0, 6)), random.between(0, 9))
