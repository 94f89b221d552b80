import fc from 'fast-check'
import { expect, test } from 'vitest'
import { asSid, asZxid, type Sid, type Zxid } from '../../src/core/shared/units.ts'
import { highestAgreed, Majority } from '../../src/core/zab/quorum.ts'

const sids = (...numbers: number[]): Sid[] => numbers.map(asSid)

test('more than half of the voters are a quorum; who is no voter, or is named twice, does not help', () => {
  const three = new Majority(sids(1, 2, 3))
  expect(three.isQuorum(sids(1))).toBe(false)
  expect(three.isQuorum(sids(1, 1))).toBe(false)
  expect(three.isQuorum(sids(1, 4))).toBe(false)
  expect(three.isQuorum(sids(1, 3))).toBe(true)
  expect(new Majority(sids(1, 2, 3, 4)).isQuorum(sids(1, 2))).toBe(false)
  expect(new Majority(sids(1)).isQuorum(sids(1))).toBe(true)
})

test('any two quorums share a voter', () => {
  const some = fc.subarray(sids(1, 2, 3, 4, 5, 6, 7))
  fc.assert(
    fc.property(some, some, some, (voters, a, b) => {
      const quorum = new Majority(voters)
      if (!quorum.isQuorum(a) || !quorum.isQuorum(b)) return
      expect(voters.some((sid) => a.includes(sid) && b.includes(sid))).toBe(true)
    }),
  )
})

test('the highest zxid a quorum has, counted the slow way', () => {
  const acks = fc.dictionary(
    fc.integer({ min: 1, max: 7 }).map(String),
    fc.integer({ min: 0, max: 9 }),
  )
  fc.assert(
    fc.property(fc.subarray(sids(1, 2, 3, 4, 5), { minLength: 1 }), acks, (voters, acked) => {
      const quorum = new Majority(voters)
      const has = new Map<Sid, Zxid>(
        Object.entries(acked).map(([sid, zxid]) => [asSid(Number(sid)), asZxid(zxid)]),
      )
      const agreed = [...has.values()].filter((zxid) =>
        quorum.isQuorum([...has].filter(([, other]) => other >= zxid).map(([sid]) => sid)),
      )
      const slow = agreed.length === 0 ? undefined : Math.max(...agreed)
      expect(highestAgreed(quorum, has)).toBe(slow)
    }),
  )
})
