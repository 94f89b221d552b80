import fc from 'fast-check'
import { expect, test } from 'vitest'
import { MalformedFrame } from '../../src/core/jute/codec.ts'
import { limits } from '../../src/core/shared/limits.ts'
import { asEpoch, asSid, asZxid, zxidOf } from '../../src/core/shared/units.ts'
import { firstConfiguration } from '../../src/core/zab/configuration.ts'
import type { Packet, ServerState } from '../../src/core/zab/messages.ts'
import {
  readNotification,
  readPackets,
  writeMessages,
  writeNotification,
  writePackets,
} from '../../src/core/zab/packet-codec.ts'
import { batchOf } from '../sim/disk.ts'

const epoch = fc.integer({ min: 0, max: 2 ** 21 - 1 }).map(asEpoch)
const counter = fc.integer({ min: 1, max: 2 ** 32 - 9 })
const zxid = fc.tuple(epoch, counter).map(([of, at]) => zxidOf(of, at))
const bytes = fc.uint8Array({ maxLength: 40 })
const number = fc.nat()
const sid = fc.integer({ min: 1, max: 254 }).map(asSid)
const sids = fc.uniqueArray(sid, { minLength: 1, maxLength: 5 })
const members = fc
  .tuple(sids, sids)
  .map(([voters, others]) =>
    firstConfiguration({ voters, observers: others.filter((one) => !voters.includes(one)) }),
  )
const configuration = fc.tuple(members, zxid).map(([first, version]) => first.withVersion(version))
const batch = fc
  .tuple(zxid, fc.array(fc.string(), { minLength: 1, maxLength: 4 }), fc.option(members))
  .map(([first, texts, made]) =>
    batchOf(first, texts, made?.withVersion(asZxid(first + texts.length - 1))),
  )

const packet: fc.Arbitrary<Packet> = fc.oneof(
  fc.record({ type: fc.constantFrom('digest', 'digested'), zxid, digest: fc.string() }),
  fc.record({ type: fc.constant('disowned'), zxid }),
  fc.record({
    type: fc.constantFrom('followerInfo', 'observerInfo'),
    acceptedEpoch: epoch,
    version: zxid,
  }),
  fc.record({ type: fc.constant('leaderInfo'), epoch }),
  fc.record({ type: fc.constant('newLeader'), epoch, configuration }),
  fc.record({ type: fc.constant('commitAndActivate'), zxid, leader: sid }),
  fc.record({ type: fc.constant('informAndActivate'), batch, leader: sid }),
  fc.record({
    type: fc.constant('ackEpoch'),
    currentEpoch: fc.oneof(epoch, fc.constant(asEpoch(-1))),
    lastZxid: zxid,
  }),
  fc.record({ type: fc.constantFrom('diff', 'trunc'), to: zxid }),
  fc.record({ type: fc.constantFrom('snap', 'ack', 'commit'), zxid }),
  fc.record({ type: fc.constant('snapChunk'), bytes, last: fc.boolean() }),
  fc.record({ type: fc.constantFrom('snapAck', 'needSnap', 'ping', 'pong') }),
  fc.record({ type: fc.constant('ackNewLeader'), epoch, lastZxid: zxid }),
  fc.record({ type: fc.constant('upToDate'), committed: zxid }),
  fc.record({ type: fc.constantFrom('proposal', 'inform'), batch }),
  fc.record({ type: fc.constant('request'), bytes }),
  fc.record({
    type: fc.constant('revalidate'),
    number,
    session: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    attachment: number,
  }),
  fc.record({ type: fc.constant('revalidated'), number, alive: fc.boolean() }),
  fc.record({ type: fc.constantFrom('sync', 'synced'), number }),
) as fc.Arbitrary<Packet>

test('packets are read as they were written', () => {
  fc.assert(
    fc.property(fc.array(packet, { maxLength: 6 }), (packets) => {
      expect(readPackets(writePackets(packets))).toEqual(packets)
    }),
  )
})

test('[C4] a history given in one turn travels in messages that calls can carry, in order', () => {
  const half = batchOf(asZxid(1), ['x'.repeat(limits.linkMessageBytesMax / 2)])
  const proposal = { type: 'proposal', batch: half } as const
  const packets = [{ type: 'ping' } as const, ...Array<typeof proposal>(7).fill(proposal)]
  const messages = writeMessages(packets)
  expect(messages.length).toBe(7)
  for (const { length } of messages) expect(length).toBeLessThan(limits.linkMessageBytesMax)
  expect(messages.flatMap(readPackets).map(({ type }) => type)).toEqual(
    packets.map(({ type }) => type),
  )
  expect(writeMessages([{ type: 'ping' }]).length).toBe(1)
})

test('a message cut anywhere is whole packets, or malformed', () => {
  fc.assert(
    fc.property(fc.array(packet, { minLength: 1, maxLength: 3 }), fc.nat(), (packets, cut) => {
      const message = writePackets(packets)
      expectPacketsOrMalformed(message.subarray(0, cut % message.length))
    }),
  )
})

test('any bytes are packets or malformed, and never anything else', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), expectPacketsOrMalformed))
})

function expectPacketsOrMalformed(message: Uint8Array): void {
  try {
    expect(writePackets(readPackets(message)).length).toBeLessThanOrEqual(message.length)
  } catch (error) {
    expect(error).toBeInstanceOf(MalformedFrame)
  }
}

test('a note is read as it was written', () => {
  const states: readonly ServerState[] = ['looking', 'following', 'leading', 'observing']
  const note = fc.record({
    from: sid,
    state: fc.constantFrom(...states),
    vote: fc.record({ leader: sid, zxid, epoch }),
    round: number,
    asks: fc.boolean(),
    configuration,
    pending: fc.option(configuration, { nil: undefined }),
  })
  fc.assert(
    fc.property(note, (one) => {
      expect(readNotification(writeNotification(one))).toEqual(one)
    }),
  )
})
