/** What a follower that is a quorum with its leader knows without hearing of it. */
import { expect, test } from 'vitest'
import type { Sid } from '../../src/core/shared/units.ts'
import { worldAnyone } from '../../src/core/tree/acl.ts'
import { Replicas } from './replicas.ts'

interface Led {
  readonly replicas: Replicas
  readonly leader: Sid
  /** The one of the two whose acks the leader asks for. */
  readonly follower: Sid
}

function led(proposeToQuorum: boolean): Led {
  const replicas = new Replicas(0, proposeToQuorum)
  const leader = replicas.elected().sid
  let follower: Sid | undefined
  replicas.passes = (_from, to, { type }) => {
    if (type === 'proposal') follower ??= to
    return true
  }
  replicas.attach(leader, 1, true)
  if (follower === undefined) throw new Error('nothing was proposed')
  replicas.attach(follower, 2, true)
  return { replicas, leader, follower }
}

const create = (replicas: Replicas, sid: Sid, xid: number): number | undefined =>
  replicas.ask(sid, xid, 'create', { path: `/n${xid}`, data: null, acl: worldAnyone, flags: 0 })
    ?.err

test('[Z12] it commits when both logs are durable, though no ack arrives and no commit', () => {
  const { replicas, leader, follower } = led(true)
  replicas.passes = (_from, _to, { type }) => type !== 'ack'
  expect(create(replicas, follower, 1)).toBe(0)
  const zxidOf = (sid: Sid): number => replicas.members[sid - 1]?.replica.tree.applied ?? 0
  expect(zxidOf(leader)).toBe(zxidOf(follower) - 1)
  // The leader hears of it by the third, whom it asks when the ack it waits for is late.
  replicas.passes = () => true
  replicas.run(100)
  expect(zxidOf(leader)).toBe(zxidOf(follower))
})

test('[Z12] it is not told of what it has committed by itself; the other one is', () => {
  const { replicas, leader, follower } = led(true)
  const told = new Map<Sid, number>()
  replicas.passes = (_from, to, { type }) => {
    if (type === 'commit') told.set(to, (told.get(to) ?? 0) + 1)
    return true
  }
  for (let xid = 1; xid <= 5; xid++) expect(create(replicas, follower, xid)).toBe(0)
  expect(told.get(follower)).toBeUndefined()
  expect([...told].filter(([sid]) => sid !== leader)).toEqual([[6 - leader - follower, 5]])
})

test('where all are asked at once nobody commits before the leader hears of a quorum', () => {
  const { replicas, follower } = led(false)
  replicas.passes = (_from, _to, { type }) => type !== 'ack'
  expect(create(replicas, follower, 1)).toBeUndefined()
})
