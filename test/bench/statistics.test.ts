import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Histogram, median, quantile, ratiosOf, spreadOf } from '../../bench/statistics.ts'

test('a median is the middle, or between the two in the middle', () => {
  expect(median([3, 1, 2])).toBe(2)
  expect(median([4, 1, 3, 2])).toBe(2.5)
  expect(median([7])).toBe(7)
})

test('a quantile lies between the values beside it', () => {
  expect(quantile([10, 20, 30, 40, 50], 0.25)).toBe(20)
  expect(quantile([10, 20], 0.75)).toBe(17.5)
  expect(quantile([2, 1], 0)).toBe(1)
  expect(quantile([2, 1], 1)).toBe(2)
})

test('a spread tells the middle, the least and the most', () => {
  expect(spreadOf([1.2, 0.9, 1.1])).toEqual({ median: 1.1, low: 0.9, high: 1.2 })
})

test('of nothing there is no figure', () => {
  expect(() => median([])).toThrow('no values')
  expect(() => spreadOf([])).toThrow('no values')
  expect(new Histogram().quantile(0.5)).toBeNaN()
})

test('ratios are of the same round', () => {
  expect(ratiosOf([2, 6], [1, 2])).toEqual([2, 3])
  expect(ratiosOf([2, 6, 9], [1, 2])).toEqual([2, 3]) // the last round was broken off
})

test('a histogram knows every quantile to a thirtieth', () => {
  const latencies = fc.array(fc.double({ min: 0.001, max: 60_000, noNaN: true }), { minLength: 1 })
  fc.assert(
    fc.property(latencies, fc.double({ min: 0, max: 1, noNaN: true }), (values, part) => {
      const histogram = new Histogram()
      for (const value of values) histogram.add(value)
      const sorted = values.toSorted((a, b) => a - b)
      const exact = sorted[Math.max(1, Math.ceil(part * values.length)) - 1] as number
      expect(histogram.total).toBe(values.length)
      expect(Math.abs(histogram.quantile(part) - exact)).toBeLessThanOrEqual(exact / 30 + 0.001)
    }),
  )
})

test('a histogram takes what no clock should say', () => {
  const histogram = new Histogram()
  histogram.add(-1)
  histogram.add(1e12)
  expect(histogram.quantile(0.5)).toBe(0)
  expect(histogram.quantile(1)).toBeGreaterThan(4_000_000)
})
