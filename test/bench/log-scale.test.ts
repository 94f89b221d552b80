import { expect, test } from 'vitest'
import { LogScale } from '../../bench/log-scale.ts'

test('ten times more is as far everywhere', () => {
  const scale = new LogScale([1, 1000], 0, 300)
  expect(scale.at(10) - scale.at(1)).toBeCloseTo(scale.at(1000) - scale.at(100))
  expect(scale.at(1)).toBeGreaterThan(0)
  expect(scale.at(1000)).toBeLessThan(300)
})

test('what is not on the axis stands at its end', () => {
  const scale = new LogScale([1, 1000], 100, 0)
  expect(scale.at(0)).toBe(100)
  expect(scale.at(1e9)).toBe(0)
})

test('a long axis has the powers of ten, a short one more', () => {
  expect(new LogScale([0.02, 500], 0, 1).ticks()).toEqual([0.1, 1, 10, 100])
  expect(new LogScale([0.5, 20], 0, 1).ticks()).toEqual([1, 3, 10])
  expect(new LogScale([0.14, 0.32], 0, 1).ticks()).toEqual([0.15, 0.2, 0.3])
})

test('one value, or none, still has an axis', () => {
  expect(new LogScale([5], 0, 10).at(5)).toBeCloseTo(5)
  expect(new LogScale([], 0, 10).ticks()).toEqual([1, 1.5, 2, 3, 5, 7, 10])
})
