/** Whose log may be written late: only that of a member which a quorum did without. */
import { expect, test } from 'vitest'
import { worldAnyone } from '../../src/core/tree/acl.ts'
import { Replicas } from './replicas.ts'

function written(proposeToQuorum: boolean): { late: number[]; atOnce: number[] } {
  const replicas = new Replicas(0, proposeToQuorum)
  const { sid } = replicas.elected()
  replicas.attach(sid, 1, true)
  for (const { logged } of replicas.members) Object.assign(logged, { late: 0, atOnce: 0 })
  for (let count = 0; count < 10; count++) {
    const body = { path: `/n${count}`, data: null, acl: worldAnyone, flags: 0 }
    expect(replicas.ask(sid, count + 1, 'create', body)?.err).toBe(0)
  }
  replicas.run(2000)
  const trees = replicas.members.map(({ replica }) => replica.tree.digest())
  expect(new Set(trees).size).toBe(1)
  const others = replicas.members.toSorted((a, b) => a.logged.late - b.logged.late)
  return {
    late: others.map(({ logged }) => logged.late),
    atOnce: others.map(({ logged }) => logged.atOnce),
  }
}

test('[Z10] who is given proposals with their commit logs them late; the quorum at once', () => {
  expect(written(true)).toEqual({ late: [0, 0, 10], atOnce: [10, 10, 0] })
})

test('[Z10] where everybody is asked, everybody logs at once', () => {
  expect(written(false)).toEqual({ late: [0, 0, 0], atOnce: [10, 10, 10] })
})
