import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BrokenInvariant } from '../../src/core/shared/assert.ts'
import { limits } from '../../src/core/shared/limits.ts'
import { asEpoch, asZxid, type Zxid, zxidOf } from '../../src/core/shared/units.ts'
import { History } from '../../src/core/zab/history.ts'
import type { LogBatch } from '../../src/core/zab/log-batch.ts'
import { chooseRemedy } from '../../src/core/zab/synchronization.ts'
import { appliedOf, batchOf } from '../sim/disk.ts'

const zxid = (epoch: number, counter: number): Zxid => zxidOf(asEpoch(epoch), counter)
const zxidsIn = (batches: readonly LogBatch[]): Zxid[] =>
  batches.flatMap(appliedOf).map((one) => one.zxid)

/** Batches of one to four txns, in epochs that grow. */
const logs = fc
  .array(fc.record({ count: fc.integer({ min: 1, max: 4 }), newEpoch: fc.boolean() }), {
    maxLength: 12,
  })
  .map((steps) => {
    let [epoch, counter] = [1, 0]
    return steps.map(({ count, newEpoch }) => {
      if (newEpoch) [epoch, counter] = [epoch + 1, 0]
      const batch = batchOf(zxid(epoch, counter + 1), Array.from({ length: count }, String))
      counter += count
      return batch
    })
  })

const anyZxid = fc
  .tuple(fc.integer({ min: 0, max: 14 }), fc.integer({ min: 0, max: 20 }))
  .map(([epoch, counter]) => zxid(epoch, counter))

describe('history', () => {
  test('finds what it has, gives what lies between, cuts where it is told', () => {
    fc.assert(
      fc.property(logs, anyZxid, anyZxid, (batches, a, b) => {
        const history = new History(asZxid(0), batches, 1000)
        const all = zxidsIn(batches)
        const [after, through] = a < b ? [a, b] : [b, a]
        expect(history.contains(a)).toBe(a === 0 || all.includes(a))
        expect(history.floor(a)).toBe(all.filter((one) => one <= a).at(-1) ?? 0)
        const between = all.filter((one) => one > after && one <= through)
        expect(zxidsIn(history.batches(after, through))).toEqual(between)
        const cut = history.floor(a) as Zxid
        history.truncate(cut)
        expect(history.last).toBe(cut)
        expect(zxidsIn(history.batches(asZxid(0), history.last))).toEqual(
          all.filter((one) => one <= cut),
        )
      }),
    )
  })

  test('forgets what is checkpointed, and keeps the newest txns', () => {
    fc.assert(
      fc.property(logs, anyZxid, fc.integer({ min: 0, max: 10 }), (batches, upTo, keep) => {
        const history = new History(asZxid(0), batches, keep)
        const { txns, last } = history
        const base = history.forget(upTo)
        expect(base).toBe(history.base)
        expect(base).toBeLessThanOrEqual(upTo)
        expect(history.last).toBe(last)
        expect(history.txns).toBeGreaterThanOrEqual(Math.min(keep, txns))
        expect(zxidsIn(history.batches(base, last))).toEqual(
          zxidsIn(batches).filter((one) => one > base),
        )
      }),
    )
  })

  test('forgets more where the newest txns are more than memory should hold', () => {
    const large = 'x'.repeat(limits.historyBytesMax / 4)
    const batches = Array.from({ length: 10 }, (_, at) => batchOf(zxid(1, at + 1), [large]))
    const history = new History(asZxid(0), batches, 500)
    expect(history.forget(zxid(1, 2))).toBe(zxid(1, 2))
    expect(history.forget(zxid(1, 10))).toBe(zxid(1, 7))
  })

  test('refuses a gap within a batch, zxids that go back, a checkpoint older than its base', () => {
    const history = new History(zxid(1, 5), [batchOf(zxid(1, 6), ['a', 'b'])], 10)
    expect(() => history.append(batchOf(zxid(1, 7), ['c']))).toThrow(BrokenInvariant)
    expect(() => history.append({ ...batchOf(zxid(1, 8), ['c']), last: zxid(1, 9) })).toThrow()
    expect(() => history.forget(zxid(1, 4))).toThrow(BrokenInvariant)
    expect(() => history.batches(zxid(1, 4), zxid(1, 7))).toThrow(BrokenInvariant)
    expect(() => history.truncate(zxid(1, 9))).toThrow(BrokenInvariant)
  })

  test('one counter follows another, a new epoch starts at 1', () => {
    const history = new History(asZxid(0), [], 10)
    expect(history.succeeds(zxid(1, 5), zxid(1, 6))).toBe(true)
    expect(history.succeeds(zxid(1, 5), zxid(1, 7))).toBe(false)
    expect(history.succeeds(zxid(1, 5), zxid(3, 1))).toBe(true)
    expect(history.succeeds(zxid(1, 5), zxid(3, 2))).toBe(false)
    expect(history.succeeds(zxid(3, 5), zxid(2, 1))).toBe(false)
  })
})

test('a remedy brings every learner to the leader’s history', () => {
  fc.assert(
    fc.property(logs, logs, fc.nat(), (leaders, learners, at) => {
      const history = new History(asZxid(0), leaders, 1000)
      const known = zxidsIn(learners)
      const lastZxid = known[at % Math.max(1, known.length)] ?? asZxid(0)
      const remedy = chooseRemedy(history, lastZxid, history.last)
      if (remedy.type === 'diff') expect(history.contains(lastZxid)).toBe(true)
      if (remedy.type !== 'trunc') return
      expect(remedy.to).toBeLessThan(lastZxid)
      expect(history.contains(remedy.to)).toBe(true)
      expect(Math.floor(remedy.to / 2 ** 32)).toBe(Math.floor(lastZxid / 2 ** 32))
    }),
  )
})
