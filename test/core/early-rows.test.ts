/** A learner is sent the checkpoint, and not the rows of the next one that stand beside it. */
import { expect, test } from 'vitest'
import { worldAnyone } from '../../src/core/tree/acl.ts'
import { Replicas } from './replicas.ts'

test('[D12] who is sent a snapshot while rows are written early has no row of what goes meanwhile', () => {
  const replicas = new Replicas(0)
  const leader = replicas.elected()
  replicas.attach(leader.sid, 1, true)
  let xid = 0
  const create = (path: string): void => {
    const body = { path, data: null, acl: worldAnyone, flags: 0 }
    expect(replicas.ask(leader.sid, ++xid, 'create', body)?.err).toBe(0)
  }
  // More than the leader remembers: whoever has nothing needs a snapshot.
  for (let count = 0; count < 40; count++) create(`/old${count}`)
  replicas.run(2000)
  const paths = Array.from({ length: 6 }, (_, count) => `/new${count}`)
  for (const path of paths) create(path)
  const early = paths.slice(0, paths.length - leader.replica.tree.unwrittenCount)
  expect(early.length).toBeGreaterThan(0)
  for (const path of early) {
    expect(replicas.ask(leader.sid, ++xid, 'delete', { path, version: -1 })?.err).toBe(0)
  }
  const learner = replicas.members.find((member) => member !== leader) as typeof leader
  replicas.loseDisk(learner)
  for (let tries = 0; learner.replica.tree.applied < leader.replica.tree.applied; tries++) {
    if (tries > 50) throw new Error('no snapshot before the leader rests')
    replicas.run(10)
  }
  replicas.run(3000)
  const rowsOf = ({ store }: typeof leader): unknown => store.page(undefined, Infinity)
  expect(rowsOf(learner)).toEqual(rowsOf(leader))
})
