import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isInstalled, nodeOfNpm } from '../support/programs.ts'
import { runProgram } from '../support/run-program.ts'
import { targets, type Target } from './targets.ts'

const isHere = isInstalled.zookeeperBinding()
if (!isHere) console.warn('left out: npm’s zookeeper could not be compiled here')

describe.skipIf(!isHere).each(targets)(
  'npm’s zookeeper, the C binding, against $name',
  ({ start }) => {
    let target: Target

    beforeAll(async () => {
      target = await start()
    })
    afterAll(() => target.stop())

    it('does everything a stock client does', async () => {
      const script = join(import.meta.dirname, 'clients/zookeeper-binding.cjs')
      const printed = await runProgram(nodeOfNpm(), [script, target.hosts])
      expect(printed).toBe(transcript)
    })
  },
)

const transcript = `create: "/z"
create ephemeral: "/z/e"
create sequential: "/z/s0000000001"
create both: "/z/es0000000002"
get: ["one",0,3,3]
set: 4
children: ["e","es0000000002","s0000000001"]
children2: [3,1]
exists: true
acl: [{"perms":31,"scheme":"world","auth":"anyone"}]
sync: "/z"
no node: "-101 no node"
exists already: "-110 node exists"
bad version: "-103 bad version"
not empty: "-111 not empty"
below an ephemeral: "-108 no children for ephemerals"
data watch: [[3,3,"/z"]]
pipelined in order: true
ephemeral vanishes: "-101 no node"
deleted: "-101 no node"
`
