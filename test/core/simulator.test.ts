/**
 * Seeded storms: safety under faults, then calm and progress. A failure prints its seed;
 * `npm run sim -- --seed=N --trace` replays it (`--zab` for the consensus alone).
 */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { type Job, type Outcome, runSeeds, seedsFrom } from '../sim/crew.ts'
import { Tally } from '../sim/faults.ts'
import { plants } from '../sim/plants.ts'

async function outcomesOf(seeds: Iterable<number>, world: Job['world']): Promise<Tally> {
  const seen = new Tally()
  const failed: string[] = []
  await runSeeds(seeds, { world, plant: undefined }, ({ seed, counts, violation }: Outcome) => {
    seen.add(Object.entries(counts))
    if (violation !== undefined) failed.push(`seed ${seed}: ${violation}`)
  })
  expect(failed).toEqual([])
  return seen
}

test('storms over the consensus alone', { timeout: 120_000 }, async () => {
  const { counts } = await outcomesOf(seedsFrom(1, 200), 'zab')
  // A storm in which nothing happens proves nothing.
  expect(counts.get('elections')).toBeGreaterThan(400)
  expect(counts.get('snapshots')).toBeGreaterThan(10)
  expect(counts.get('truncations')).toBeGreaterThan(10)
  expect(counts.get('txns')).toBeGreaterThan(10_000)
})

test('storms over the whole system', { timeout: 120_000 }, async () => {
  const { counts } = await outcomesOf(seedsFrom(1, 100), 'system')
  expect(counts.get('elections')).toBeGreaterThan(100)
  expect(counts.get('snapshots')).toBeGreaterThan(20)
  expect(counts.get('truncations')).toBeGreaterThan(2)
  expect(counts.get('operations')).toBeGreaterThan(10_000)
  expect(counts.get('guardedWrites')).toBeGreaterThan(200)
  for (const fault of faults) expect(counts.get(fault), fault).toBeGreaterThan(0)
})

const faults = [
  'note lost',
  'note repeated',
  'delay',
  'call overtaken',
  'call lost',
  'call repeated',
  'call silent',
  'answer lost',
  'link broken',
  'connection broken',
  'close untold',
  'partition',
  'one-way partition',
  'crash',
  'death within a turn',
  'eviction',
  'writes lost',
  'actor crash',
  'hibernation',
  'clock jump',
  'timer late',
  'alarm late',
  'alarm twice',
  'election storm',
  'checkpoint',
  'log written behind the gate',
]

/** Each line: a seed, and what it found. */
const found = readFileSync(new URL('../sim/seeds.txt', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => /^\d/.test(line))
  .map((line) => Number.parseInt(line, 10))

test('seeds that once found a bug', { timeout: 120_000 }, async () => {
  expect(found.length).toBeGreaterThan(0)
  await outcomesOf(found, 'system')
})

/** So many seeds a planted bug of the common kind never needs. */
const seedsPerPlant = 100

test.each(plants.filter(({ isRare }) => !isRare))(
  'caught: $name',
  { timeout: 120_000 },
  async ({ name }) => {
    let caught: string | undefined
    await runSeeds(seedsFrom(1, seedsPerPlant), { world: 'system', plant: name }, (outcome) => {
      caught ??= outcome.violation
      return caught !== undefined
    })
    expect(caught).toBeDefined()
  },
)
