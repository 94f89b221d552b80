/** One packet of every kind that a link carries. */
import { asEpoch, zxidOf } from '../../src/core/shared/units.ts'
import type { Packet } from '../../src/core/zab/messages.ts'
import { batchOf } from '../sim/disk.ts'

const epoch = asEpoch(1)
const zxid = zxidOf(epoch, 3)
const batch = batchOf(zxidOf(epoch, 1), ['a', 'bb', ''])
const bytes = new Uint8Array(9).fill(3)

export const allPackets: readonly Packet[] = [
  { type: 'followerInfo', acceptedEpoch: epoch },
  { type: 'observerInfo', acceptedEpoch: epoch },
  { type: 'leaderInfo', epoch },
  { type: 'ackEpoch', currentEpoch: asEpoch(-1), lastZxid: zxid },
  { type: 'diff', to: zxid },
  { type: 'trunc', to: zxid },
  { type: 'snap', zxid },
  { type: 'snapChunk', bytes, last: false },
  { type: 'snapAck' },
  { type: 'needSnap' },
  { type: 'newLeader', epoch },
  { type: 'ackNewLeader', epoch, lastZxid: zxid },
  { type: 'upToDate', committed: zxid },
  { type: 'proposal', batch },
  { type: 'ack', zxid },
  { type: 'commit', zxid },
  { type: 'inform', batch },
  { type: 'ping' },
  { type: 'pong' },
  { type: 'request', bytes },
  { type: 'revalidate', number: 1, session: 1n, attachment: 1 },
  { type: 'revalidated', number: 1, alive: true },
  { type: 'sync', number: 1 },
  { type: 'synced', number: 1 },
]
