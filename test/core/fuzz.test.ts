/** What `npm run fuzz` does at length, shortly: the seed is PROPERTY_SEED's. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Random } from '../../src/core/shared/random.ts'
import { faultOf, runCampaign, shrunk } from '../fuzz/campaign.ts'
import { mutate } from '../fuzz/mutation.ts'
import { byteReaders } from '../fuzz/readers.ts'
import type { Target } from '../fuzz/target.ts'
import { targets } from '../fuzz/targets.ts'

const seed = Number(process.env['PROPERTY_SEED'] ?? '1')

describe.each(byteReaders.map((reader) => [reader.name, reader] as const))('%s', (_, reader) => {
  test('reads what is whole', () => {
    fc.assert(
      fc.property(fc.nat(), (from) => {
        reader.read(reader.sample(new Random(from)))
      }),
    )
  })
})

describe.each(targets.map((target) => [target.name, target] as const))('%s', (_, target) => {
  test('survives damaged bytes', { timeout: 60_000 }, async () => {
    const mutations = target.name === 'readers' ? 60_000 : 20_000
    const tally = await runCampaign({ seed, mutations, targets: [target] })
    expect(tally.failure?.cause).toBeUndefined()
    expect(tally.count).toBeGreaterThanOrEqual(mutations)
    // Nobody waits for ever; a machine under load may take its time.
    expect(tally.slowestMs).toBeLessThan(5000)
  })
})

/** Breaks when it meets a 7 behind a 3. */
const fragile: Target = {
  name: 'fragile',
  inputsPerLife: 50,
  share: 1,
  draw: (random) => Uint8Array.of(random.next() % 10, random.next() % 10),
  begin() {
    let isCracked = false
    return {
      take(input) {
        if (isCracked && input.includes(7)) throw new Error('broken')
        if (input.includes(3)) isCracked = true
      },
    }
  },
  kindOf: () => 'all',
}

test('a fault is found, and shrunk to the inputs that suffice', async () => {
  const { failure } = await runCampaign({ seed, mutations: 1000, targets: [fragile] })
  expect(failure?.cause).toEqual(new Error('broken'))
  if (failure === undefined) return
  const fewest = shrunk(failure, Infinity)
  expect(fewest.map((input) => [...input])).toEqual([[3], [7]])
  expect(faultOf(fragile, fewest)).toEqual(new Error('broken'))
})

test('damage changes bytes, and the same seed damages alike', () => {
  const bytes = Uint8Array.from({ length: 40 }, (_, at) => at)
  const damaged = Array.from({ length: 100 }, (_, from) => mutate(bytes, bytes, new Random(from)))
  const again = damaged.map((_, from) => mutate(bytes, bytes, new Random(from)))
  expect(again).toEqual(damaged)
  expect(new Set(damaged.map((one) => Buffer.from(one).toString('hex'))).size).toBeGreaterThan(90)
  expect([...bytes]).toEqual(Array.from({ length: 40 }, (_, at) => at))
})
