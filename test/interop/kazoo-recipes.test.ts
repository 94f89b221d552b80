import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isInstalled, python } from '../support/programs.ts'
import { runProgram } from '../support/run-program.ts'
import { outcomes } from './scenarios.ts'
import { targets, type Target } from './targets.ts'

const isHere = isInstalled.kazoo()
if (!isHere) console.warn('left out: kazoo is not here (Debian package python3-kazoo)')

// Two clients, on the first member and on the last. What each list says is in the order of the scenario's code.
const scenarios: Readonly<Record<string, string>> = {
  Lock: '[True, False, True, True, True, []]',
  'Lock of a client that went': "[True, True, ['b']]",
  'ReadLock and WriteLock': '[[True, True], True, True, True, True, True, True]',
  Semaphore: "[[True, True], False, ['a', 'b'], True, True, ['b', 'b2']]",
  Election: "[True, ['a'], ['a', 'b']]",
  Barrier: '[False, True, True, False]',
  DoubleBarrier: '[True, [True, True], None, []]',
  Counter: '[[None, None], 40, 1.75]',
  Party: "[[['a', 'b'], 2], ['b'], True, True]",
  ShallowParty: "[[['a', 'b'], 2], ['b'], True, True]",
  Queue: "[4, [b'urgent', b'first', b'second', b'late'], None]",
  'Queue two drain': 'True',
  LockingQueue: "[[b'0', b'1'], [True, True], True, True, b'1', b'2', b'new', True]",
  NonBlockingLease: '[True, False, True, True, [True, True, False]]',
  SetPartitioner: '[True, True, [False], True, False]',
  TreeCache: "[True, True, frozenset({'x'}), True, [0, 1, 2], []]",
  DataWatch:
    "[True, [(None, None), (b'0', 'CREATED'), (b'1', 'CHANGED'), (b'2', 'CHANGED'), (b'3', 'CHANGED'), (None, 'DELETED'), (b'again', 'CREATED')]]",
  ChildrenWatch: "[[], ['x'], ['x', 'y'], ['y']]",
  'digest ACL': "[['NoAuthError', 'NoAuthError', 'NoAuthError', 'NoAuthError'], b'p', 1]",
  transaction:
    "[['/r/t', 'ZnodeStat', True, '/r/t/child'], [b'2', ['child']], ['RolledBackError', 'BadVersionError', 'RuntimeInconsistency'], b'2', ['child']]",
}

describe.skipIf(!isHere).each(targets)('kazoo’s recipes against $name', ({ start }) => {
  let target: Target
  let printed: ReadonlyMap<string, string>

  beforeAll(async () => {
    target = await start()
    const script = join(import.meta.dirname, 'clients/kazoo_recipes.py')
    printed = outcomes(await runProgram(python, [script, target.hosts]))
  })
  afterAll(() => target.stop())

  it.each(Object.entries(scenarios))('%s', (name, outcome) => {
    expect(printed.get(name)).toBe(outcome)
  })
})
