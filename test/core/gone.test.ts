/** Who says of a session that it is no more: its client and its judge believe that, and never ask again. */
import { expect, test } from 'vitest'
import { verdicts } from '../../src/core/session/edge-messages.ts'
import { session } from './machine.ts'
import { Replicas } from './replicas.ts'

function formed(): { readonly replicas: Replicas; readonly leader: Replicas['members'][number] } {
  const replicas = new Replicas(0)
  while (!replicas.members.every(({ replica }) => replica.isServing)) replicas.run(10)
  const { leader } = replicas
  if (leader === undefined) throw new Error('nobody leads')
  return { replicas, leader }
}

const ended = { type: 'expired', session: session(77) }
const gone = { type: 'attached', slot: 1, verdict: verdicts.gone }

test('[S4] a quorum says that a session is no more, through every member', () => {
  const { replicas } = formed()
  for (const { sid } of replicas.members) {
    replicas.expire(sid, 77)
    expect(replicas.told.splice(0)).toEqual([ended])
    replicas.attach(sid, 78, false)
    expect(replicas.told.splice(0)).toEqual([gone])
  }
})

test('[S4] a leader that is cut off and does not know it says so of none: others may have begun it', () => {
  const { replicas, leader } = formed()
  leader.links.clear()
  replicas.expire(leader.sid, 77)
  replicas.attach(leader.sid, 78, false)
  expect(leader.replica.isServing).toBe(true)
  expect(replicas.told).toEqual([])
})

test('[S4] who joined anew after it was asked for says so too: its first link may take the question with it', () => {
  const { replicas, leader } = formed()
  const [follower] = replicas.members.filter((member) => member !== leader)
  if (follower === undefined) throw new Error('nobody follows')
  leader.links.clear()
  replicas.expire(leader.sid, 77)
  replicas.breakLink(follower, leader)
  replicas.run(3000)
  expect(follower.replica.isServing).toBe(true)
  expect(leader.replica.zab.role).toBe('leading')
  expect(replicas.told).toEqual([ended])
})
