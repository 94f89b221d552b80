/** A real ZooKeeper and ours, each one server alone; and the txns that the real one logged, applied by us. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Tree } from '../../../src/core/tree/tree.ts'
import { showDifference } from '../../oracle/compare.ts'
import { Duel } from '../../oracle/duel.ts'
import { generate } from '../../oracle/generate.ts'
import { MemoryStore } from '../../support/memory-store.ts'
import { isInstalled } from '../../support/programs.ts'
import { readZooKeeperLog } from '../../support/zookeeper-log.ts'

const isHere = isInstalled.zooKeeper()
if (!isHere) console.warn('left out: Apache ZooKeeper is not here (Debian package zookeeper)')

describe.skipIf(!isHere)('the tree of a real ZooKeeper', () => {
  let duel: Duel
  beforeAll(async () => {
    duel = await Duel.start(1)
  })
  afterAll(() => duel?.stop())

  it('Z20 random scripts beside a real one that is alone show no undeclared difference', async () => {
    for (const seed of [11, 12]) {
      const steps = generate({ seed, operations: 400, sessions: 4, root: `/d${seed}` })
      const { difference, step } = await duel.fight(steps, 4)
      expect(step && difference && showDifference(step, difference)).toBeUndefined()
    }
  }, 120_000)

  // The txns of the scripts before.
  it('Z11 has the digest that ours has, behind each of its txns', () => {
    const tree = new Tree(new MemoryStore(), Infinity)
    const kinds = new Map<string, number>()
    let digests = 0
    for (const { header, body, digest } of readZooKeeperLog(duel.apacheFolder)) {
      tree.apply(header, body, [], false)
      kinds.set(body.type, (kinds.get(body.type) ?? 0) + 1)
      if (digest === undefined) continue
      digests += 1
      expect(tree.digest(), `${body.type} ${header.zxid.toString(16)}`).toBe(digest)
    }
    console.log(`${digests} digests, of ${[...kinds].map((kind) => kind.join(' ')).join(', ')}`)
    expect(digests).toBeGreaterThan(200)
    const changing = ['create', 'delete', 'setData', 'setAcl', 'multi', 'closeSession', 'error']
    for (const kind of changing) expect(kinds.get(kind), kind).toBeGreaterThan(0)
  })
})
