import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { curatorClassPath, isInstalled } from '../support/programs.ts'
import { runProgram } from '../support/run-program.ts'
import { outcomes } from './scenarios.ts'
import { targets, type Target } from './targets.ts'

const isHere = isInstalled.curator()
if (!isHere) {
  console.warn(
    'left out: Curator or a JDK is not here (Debian packages libcurator-recipes-java and default-jdk-headless)',
  )
}

// Two clients, on the first member and on the last. What each list says is in the order of the scenario's code.
const scenarios: Readonly<Record<string, string>> = {
  InterProcessMutex: '[true, false, true, true, true, 0]',
  'InterProcessMutex of a client that went': '[true, true, true, 1]',
  InterProcessReadWriteLock: '[true, true, true, true, true, true, true]',
  InterProcessSemaphoreV2: '[true, true, true, true, true, 2]',
  LeaderLatch: '[true, true, true, a, true, b]',
  LeaderSelector: '[true, true, [a], true, true, [a, b, a]]',
  DistributedBarrier: '[false, true]',
  DistributedDoubleBarrier: '[true, true, true]',
  SharedCount: '[true, true, true, true, false]',
  DistributedAtomicLong: '[[true, true], 40]',
  PersistentNode: '[true, true, true, here, true]',
  GroupMember: '[true, 2, true]',
  CuratorCache:
    '[true, /old=0, [true, true, true, true], [NODE_CREATED - /new=1, NODE_CHANGED /new=1 /new=2, NODE_CREATED - /new/below=3, NODE_DELETED /new/below=3 -, NODE_DELETED /new=2 -]]',
  transactions:
    '[[CREATE, SET_DATA, CHECK, CREATE], /c/t/child-0000000000, BADVERSION [ErrorResult, ErrorResult], 2]',
  'digest ACL': '[NOAUTH, p]',
  EnsembleTracker: '[3, true, false]',
}

describe.skipIf(!isHere).each(targets)('Curator’s recipes against $name', ({ start }) => {
  let target: Target
  let printed: ReadonlyMap<string, string>

  beforeAll(async () => {
    target = await start()
    const script = join(import.meta.dirname, 'clients/CuratorRecipes.java')
    printed = outcomes(await runProgram('java', ['-cp', curatorClassPath, script, target.hosts]))
  })
  afterAll(() => target.stop())

  it.each(Object.entries(scenarios))('%s', (scenario, outcome) => {
    expect(printed.get(scenario)).toBe(outcome)
  })
})
