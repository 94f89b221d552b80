/** One packet of every kind that a link carries. */
import { asEpoch, asSid, zxidOf } from '../../src/core/shared/units.ts'
import { firstConfiguration } from '../../src/core/zab/configuration.ts'
import type { Packet } from '../../src/core/zab/messages.ts'
import { batchOf } from '../sim/disk.ts'

const epoch = asEpoch(1)
const zxid = zxidOf(epoch, 3)
const batch = batchOf(zxidOf(epoch, 1), ['a', 'bb', ''])
export const configuration = firstConfiguration({
  voters: [1, 2].map(asSid),
  observers: [asSid(3)],
  grouping: { groups: new Map([1, 2].map((sid) => [asSid(sid), sid])), weights: new Map() },
}).withVersion(zxidOf(epoch, 4))
const bytes = new Uint8Array(9).fill(3)

export const allPackets: readonly Packet[] = [
  { type: 'followerInfo', acceptedEpoch: epoch, version: zxid },
  { type: 'observerInfo', acceptedEpoch: epoch, version: zxid },
  { type: 'leaderInfo', epoch },
  { type: 'ackEpoch', currentEpoch: asEpoch(-1), lastZxid: zxid },
  { type: 'diff', to: zxid },
  { type: 'trunc', to: zxid },
  { type: 'snap', zxid },
  { type: 'snapChunk', bytes, last: false },
  { type: 'snapAck' },
  { type: 'needSnap' },
  { type: 'newLeader', epoch, configuration },
  { type: 'ackNewLeader', epoch, lastZxid: zxid },
  { type: 'upToDate', committed: zxid },
  { type: 'proposal', batch },
  { type: 'ack', zxid },
  { type: 'commit', zxid },
  { type: 'inform', batch },
  { type: 'proposal', batch: batchOf(configuration.version, ['r'], configuration) },
  { type: 'commitAndActivate', zxid, leader: asSid(2) },
  { type: 'informAndActivate', batch, leader: asSid(2) },
  { type: 'ping' },
  { type: 'pong' },
  { type: 'request', bytes },
  { type: 'revalidate', number: 1, session: 1n, attachment: 1 },
  { type: 'revalidated', number: 1, alive: true },
  { type: 'sync', number: 1 },
  { type: 'synced', number: 1 },
]
