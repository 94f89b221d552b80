/** Whole members whose epochs begin close before the end of their counter: elections come again and again, and lose nothing. */
import { expect, test } from 'vitest'
import { limits } from '../../src/core/shared/limits.ts'
import { asEpoch, counterOf, epochOf, type Zxid, zxidOf } from '../../src/core/shared/units.ts'
import { worldAnyone } from '../../src/core/tree/acl.ts'
import { errorCodes } from '../../src/core/wire/refusals.ts'
import { writeRequest } from '../../src/core/wire/packets.ts'
import { Replicas } from './replicas.ts'

const create = (path: string) => ({ path, data: null, acl: worldAnyone, flags: 0 })

function formed(replicas: Replicas): number {
  for (let tries = 0; tries < 1000; tries++) {
    const { leader } = replicas
    if (leader !== undefined && replicas.members.every(({ replica }) => replica.isServing))
      return leader.sid
    replicas.run(10)
  }
  throw new Error('no ensemble')
}

const isWhole = (replicas: Replicas): void => {
  formed(replicas)
  replicas.run(2000)
  const states = replicas.members.map(
    ({ replica }) => `${replica.tree.applied} ${replica.tree.digest()}`,
  )
  expect(new Set(states).size).toBe(1)
  expect(replicas.members.map(({ replica }) => replica.digestMismatches)).toEqual([0, 0, 0])
}

test('[Z3] a leader whose counter ends steps down between two writes: nothing acknowledged is lost, zxids go on', () => {
  const replicas = new Replicas(limits.counterMax - limits.zxidsReserved - 10)
  const follower = formed(replicas) === 1 ? 2 : 1
  expect(replicas.attach(follower, 1, true)).toBe(true)
  const acknowledged: { readonly path: string; readonly zxid: Zxid }[] = []
  for (let count = 0; count < 60; count++) {
    const path = `/n${count}`
    for (;;) {
      const reply = replicas.ask(follower, count + 1, 'create', create(path))
      if (reply?.err === 0) acknowledged.push({ path, zxid: reply.zxid })
      if (reply?.err === 0 || reply?.err === errorCodes.NodeExists) break
      formed(replicas)
      replicas.attach(follower, 1, false)
    }
  }
  isWhole(replicas)
  const { tree, zab } = (replicas.leader as NonNullable<typeof replicas.leader>).replica
  expect(zab.epoch).toBeGreaterThan(5)
  expect(acknowledged.length).toBeGreaterThan(50)
  for (const { path } of acknowledged) expect(tree.get(path)).toBeDefined()
  for (let count = 0; count < 60; count++) expect(tree.get(`/n${count}`)).toBeDefined()
  acknowledged.slice(1).forEach(({ zxid }, at) => {
    expect(zxid).toBeGreaterThan((acknowledged[at] as { zxid: Zxid }).zxid)
  })
})

test('[Z3] more writes at once than an epoch has zxids left: those it has are answered, no counter runs over', () => {
  const left = limits.zxidsReserved + 3
  const replicas = new Replicas(limits.counterMax - left)
  const leader = formed(replicas)
  const { epoch } = (replicas.leader as NonNullable<typeof replicas.leader>).replica.zab
  expect(replicas.attach(leader, 1, true)).toBe(true)
  // A refused write takes a zxid too.
  const frames = Array.from({ length: left + 1000 }, (_, at) =>
    writeRequest(at + 1, 'delete', { path: '/none', version: -1 }).slice(4),
  )
  replicas.askMany(leader, frames)
  isWhole(replicas)
  const { tree, zab } = (replicas.leader as NonNullable<typeof replicas.leader>).replica
  expect(zab.epoch).toBe(epoch + 1)
  expect(epochOf(tree.applied)).toBe(epoch)
  expect(counterOf(tree.applied)).toBe(limits.counterMax)
  expect(replicas.attach(leader, 1, false)).toBe(true)
  expect(replicas.ask(leader, 1, 'create', create('/next'))?.zxid).toBeGreaterThan(tree.applied - 1)
  expect(tree.get('/next')?.czxid).toBe(zxidOf(asEpoch(epoch + 1), limits.counterMax - left + 1))
}, 60_000)
