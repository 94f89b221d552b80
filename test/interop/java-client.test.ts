import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isInstalled, javaClientClassPath } from '../support/programs.ts'
import { runProgram } from '../support/run-program.ts'
import { outcomes } from './scenarios.ts'
import { targets, type Target } from './targets.ts'

const isHere = isInstalled.javaClient()
if (!isHere) {
  console.warn(
    'left out: ZooKeeper’s Java client or a JDK is not here (Debian packages zookeeper and default-jdk-headless)',
  )
}

// What each list says is in the order of the scenario's code.
const scenarios: Readonly<Record<string, string>> = {
  nodes:
    '[/j, /j/e, /j/s-0000000001, /j/es-0000000002, /j/c, /j/stat, 4, one0, 1, [c, e, es-0000000002, s-0000000001, stat], null, true, 5, [/j/e, /j/es-0000000002], 6]',
  refusals:
    '[NODEEXISTS, NONODE, NOCHILDRENFOREPHEMERALS, BADVERSION, NOTEMPTY, NONODE, INVALIDACL]',
  callbacks: '[create 0/j/a, get 01, set 01, exists 01, children 0[], delete -103, delete 0]',
  pipelined: '1999',
  multi: '[/j/m/s-0000000000, 1, 5, [BADVERSION, 0, -103, -2], 0 1, 1999, [], -101]',
  watches: '[NodeDataChanged /j/w, NodeCreated /j/w/x, NodeChildrenChanged /j/w]',
  'watches that stay':
    '[[NodeCreated /j/w/y, NodeDataChanged /j/w/y, NodeDeleted /j/w/y], [PersistentWatchRemoved /j/w], [NodeChildrenChanged /j/w, NodeChildrenChanged /j/w], [], NOWATCHER]',
  access: '[digest, bob:ikIaKsbtGweaHnb/jKn7OHqbunM=, NOAUTH, 1, m, [digest bob, ip 127.0.0.1]]',
  sessions: '[true, true, true]',
}

describe.skipIf(!isHere).each(targets)('the Java client against $name', ({ start }) => {
  let target: Target
  let printed: ReadonlyMap<string, string>

  beforeAll(async () => {
    target = await start()
    const script = join(import.meta.dirname, 'clients/JavaClient.java')
    const args = ['-cp', javaClientClassPath, script, target.hosts]
    printed = outcomes(await runProgram('java', args))
  })
  afterAll(() => target.stop())

  it.each(Object.entries(scenarios))('%s', (scenario, outcome) => {
    expect(printed.get(scenario)).toBe(outcome)
  })
})
