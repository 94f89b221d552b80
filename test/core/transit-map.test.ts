/** A map for what comes and goes: it is a Map, and leaves nothing behind. */
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { TransitMap } from '../../src/core/shared/transit-map.ts'

type Step =
  | { readonly type: 'set'; readonly key: number; readonly value: number }
  | { readonly type: 'delete'; readonly key: number }
  | { readonly type: 'clear' }

const key = fc.nat(200)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 20, arbitrary: fc.record({ type: fc.constant('set'), key, value: fc.nat() }) },
  { weight: 20, arbitrary: fc.record({ type: fc.constant('delete'), key }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('clear') }) },
)

test('it holds what a Map would, in the same order', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 2000, size: 'max' }), (steps) => {
      const [map, transit] = [new Map<number, number>(), new TransitMap<number, number>()]
      for (const one of steps) {
        if (one.type === 'clear') {
          map.clear()
          transit.clear()
        } else if (one.type === 'delete') {
          expect(transit.delete(one.key)).toBe(map.delete(one.key))
        } else {
          map.set(one.key, one.value)
          transit.set(one.key, one.value)
        }
        expect(transit.size).toBe(map.size)
      }
      expect([...transit]).toEqual([...map])
      expect([...transit.keys()]).toEqual([...map.keys()])
      expect([...transit.values()]).toEqual([...map.values()])
      for (let at = 0; at <= 200; at++) {
        expect(transit.get(at)).toBe(map.get(at))
        expect(transit.has(at)).toBe(map.has(at))
      }
    }),
    { numRuns: 50 },
  )
})

test('what is iterated may be deleted meanwhile', () => {
  const transit = new TransitMap<number, number>()
  for (let at = 0; at < 1000; at++) transit.set(at, at)
  const seen: number[] = []
  for (const [at] of transit) {
    seen.push(at)
    transit.delete(at)
  }
  expect(seen).toHaveLength(1000)
  expect(transit.size).toBe(0)
})

test('what has gone is collected with the young; in a Map that has grown old it stays until a full collection', () => {
  expect(bytesLeftBehind(new TransitMap())).toBeLessThan(500_000)
  // If this fails, V8 has learned it, and TransitMap is needed no longer.
  expect(bytesLeftBehind(new Map())).toBeGreaterThan(2_000_000)
})

/** In the old generation, after 20,000 objects of some 450 bytes came and went, 20 at a time. */
function bytesLeftBehind(
  map: Pick<TransitMap<number, object>, 'set' | 'delete'> | Map<number, object>,
): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as (options?: { type: 'minor' }) => void
  let at = 0
  const churn = (count: number): void => {
    for (let nth = 0; nth < count; nth++) {
      at += 1
      map.set(at, { at, bytes: Array.from({ length: 50 }, () => at) })
      map.delete(at - 20)
    }
  }
  churn(1000)
  collect()
  const before = oldBytes()
  churn(20_000)
  collect({ type: 'minor' })
  collect({ type: 'minor' })
  return oldBytes() - before
}

const oldBytes = (): number =>
  getHeapSpaceStatistics().find(({ space_name }) => space_name === 'old_space')?.space_used_size ??
  0
