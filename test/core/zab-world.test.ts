/**
 * Seeded storms: safety under faults, then calm and progress (`test/sim/storm.ts`). A failure prints its seed;
 * `node test/sim/main.ts --seed=N --trace` replays it.
 */
import { expect, test } from 'vitest'
import { weather, type Weathered } from '../sim/storm.ts'

const seedsPerTest = 100

for (const from of [1, 101, 201, 301]) {
  test(`storms ${from} to ${from + seedsPerTest - 1}`, { timeout: 30_000 }, () => {
    const seen: Weathered[] = []
    for (let seed = from; seed < from + seedsPerTest; seed++) {
      try {
        seen.push(weather(seed))
      } catch (error) {
        throw new Error(`seed ${seed}`, { cause: error })
      }
    }
    const sum = (of: (one: Weathered) => number): number =>
      seen.reduce((total, one) => total + of(one), 0)
    // A storm in which nothing happens proves nothing.
    expect(sum((one) => one.elections)).toBeGreaterThan(200)
    expect(sum((one) => one.snapshots)).toBeGreaterThan(5)
    expect(sum((one) => one.truncations)).toBeGreaterThan(5)
    expect(sum((one) => one.txns)).toBeGreaterThan(5000)
  })
}
