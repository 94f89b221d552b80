import { describe, expect, test } from 'vitest'
import { DigestWatch } from '../../src/core/digest-watch.ts'
import { limits } from '../../src/core/shared/limits.ts'
import { asSid, asZxid } from '../../src/core/shared/units.ts'
import { Majority } from '../../src/core/zab/quorum.ts'

const at = asZxid
const sids = [1, 2, 3].map(asSid)
const watch = (own = 1, voters = sids) => new DigestWatch(asSid(own), new Majority(voters))

/** A leader that asked the links 2, 3, … of the members of these numbers, and was answered so. */
function asked(ours: string, answers: Record<number, string>, voters = sids) {
  const leader = watch(1, voters)
  leader.note(at(128), ours)
  const links = Object.keys(answers).map(Number)
  expect(leader.ask(links)).toEqual({ noted: { zxid: 128, digest: ours }, links })
  const mismatches = Object.entries(answers).map(([sid, digest]) =>
    leader.answer(asSid(Number(sid)), Number(sid), { zxid: at(128), digest }),
  )
  return { leader, mismatches, judgement: leader.judge() }
}

describe('[Z8] whose tree is believed', () => {
  test('everybody’s, while all are equal', () => {
    const { judgement, leader } = asked('a', { 2: 'a', 3: 'a' })
    expect(judgement).toEqual({ type: 'open' })
    expect(leader.mismatches).toBe(0)
  })

  test('the leader’s, when a quorum agrees with it', () => {
    const { judgement, mismatches, leader } = asked('a', { 2: 'a', 3: 'b' })
    expect(judgement).toEqual({ type: 'theyDiffer', links: [3] })
    expect(mismatches[1]).toEqual({ zxid: 128, digest: 'a', peer: 3, peersDigest: 'b' })
    expect(leader.mismatches).toBe(1)
  })

  test('the quorum’s, when it agrees on another than the leader’s', () => {
    expect(asked('a', { 2: 'b', 3: 'b' }).judgement).toEqual({ type: 'weDiffer', digest: 'b' })
  })

  test('nobody’s, when no quorum agrees: it is told and counted, and nothing is given up', () => {
    expect(asked('a', { 2: 'b' }).judgement).toEqual({ type: 'open' })
    expect(asked('a', { 2: 'b', 3: 'c' }).judgement).toEqual({ type: 'open' })
    expect(asked('a', { 2: 'b' }).leader.mismatches).toBe(1)
  })

  test('an observer’s never against a quorum, and it makes none', () => {
    const four = asked('a', { 2: 'a', 4: 'b' })
    expect(four.judgement).toEqual({ type: 'theyDiffer', links: [4] })
    expect(asked('a', { 4: 'b', 5: 'b', 6: 'b' }).judgement).toEqual({ type: 'open' })
    expect(asked('a', { 4: 'b' }, [asSid(1)]).judgement).toEqual({ type: 'theyDiffer', links: [4] })
  })
})

describe('[Z8] a learner compares at the leader’s zxid', () => {
  test('when it was there already, and when it comes there', () => {
    const learner = watch(2)
    learner.note(at(128), 'a')
    learner.hear({ zxid: at(128), digest: 'a' })
    expect(learner.compared(asSid(1))).toEqual({
      own: { zxid: 128, digest: 'a' },
      mismatch: undefined,
    })
    expect(learner.compared(asSid(1))).toBe(undefined)
    learner.hear({ zxid: at(200), digest: 'b' })
    expect(learner.compared(asSid(1))).toBe(undefined)
    expect([199, 200, 256].map((zxid) => learner.isDue(at(zxid)))).toEqual([false, true, true])
    learner.note(at(200), 'x')
    expect(learner.compared(asSid(1))?.mismatch).toEqual({
      zxid: 200,
      digest: 'x',
      peer: 1,
      peersDigest: 'b',
    })
    expect(learner.mismatches).toBe(1)
  })

  test('and not with a leader that is none any more, nor at a zxid long gone', () => {
    const learner = watch(2)
    for (let count = 1; count <= limits.digestsKept + 1; count++) learner.note(at(count * 128), 'a')
    learner.hear({ zxid: at(128), digest: 'b' })
    expect(learner.compared(asSid(1))).toBe(undefined)
    learner.hear({ zxid: at(256), digest: 'b' })
    learner.forgetOthers()
    expect(learner.compared(asSid(1))).toBe(undefined)
    expect(learner.mismatches).toBe(0)
  })
})

test('[Z8] a leader asks each link once about its newest zxid, and hears no answer to an older question', () => {
  const leader = watch()
  expect(leader.ask([2])).toBe(undefined)
  leader.note(at(128), 'a')
  expect(leader.ask([2])?.links).toEqual([2])
  expect(leader.ask([2])).toBe(undefined)
  expect(leader.ask([2, 3])?.links).toEqual([3])
  leader.note(at(256), 'b')
  expect(leader.ask([2, 3])?.links).toEqual([2, 3])
  expect(leader.answer(asSid(2), 2, { zxid: at(128), digest: 'wrong' })).toBe(undefined)
  expect(leader.mismatches).toBe(0)
})
