import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isInstalled, python } from '../support/programs.ts'
import { runProgram } from '../support/run-program.ts'
import { targets, type Target } from './targets.ts'

const isHere = isInstalled.kazoo()
if (!isHere) console.warn('left out: kazoo is not here (Debian package python3-kazoo)')

describe.skipIf(!isHere).each(targets)('kazoo against $name', ({ start }) => {
  let target: Target

  beforeAll(async () => {
    target = await start()
  })
  afterAll(() => target.stop())

  it('does everything a stock client does, its recipes too', async () => {
    const script = join(import.meta.dirname, 'clients/kazoo_client.py')
    const printed = await runProgram(python, [script, target.hosts])
    expect(printed).toBe(transcript)
  })
})

const transcript = `create: /k
create ephemeral: /k/e
create sequential: /k/s0000000001
create both: /k/es0000000002
create2: /k/c2 version 0 length 3
get: b'one' version 0 cversion 4 children 4
set: version 1
children: ['c2', 'e', 'es0000000002', 's0000000001']
exists: True
exists not: None
acl: [(31, 'world', 'anyone')]
set acl: aversion 1
sync: /k
no node: NoNodeError
exists already: NodeExistsError
bad version: BadVersionError
not empty: NotEmptyError
below an ephemeral: NoChildrenForEphemeralsError
no parent: NoNodeError
multi: ['bool', 'str', 'ZnodeStat', 'bool']
multi refused: ['RolledBackError', 'BadVersionError', 'RuntimeInconsistency']
multi left nothing: None
data watch: ['CHANGED /k']
DataWatch recipe: [b'tt', b'0', b'1', b'2']
lock contenders: ['first']
second waits: True
second gets it: True
pipelined in order: True
ephemeral vanishes: True
deleted: None
states: []
`
