/** A little of what `npm run oracle` plays for longer. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { showDifference } from '../oracle/compare.ts'
import { Duel } from '../oracle/duel.ts'
import { generate } from '../oracle/generate.ts'
import { isInstalled } from '../support/programs.ts'

const isHere = isInstalled.zooKeeper()
if (!isHere) console.warn('left out: Apache ZooKeeper is not here (Debian package zookeeper)')

describe.skipIf(!isHere)('beside Apache ZooKeeper', () => {
  let duel: Duel
  beforeAll(async () => {
    duel = await Duel.start(1)
  })
  afterAll(() => duel?.stop())

  it.each([1, 2, 3])('random script %i shows no undeclared difference', async (seed) => {
    const root = `/o00000${seed}`
    const steps = generate({ seed, operations: 400, sessions: 4, root })
    const { difference, step } = await duel.fight(steps, 4)
    expect(step && difference && showDifference(step, difference)).toBeUndefined()
  })
})
