import { held, inFile, notHeld, type Section } from '../row.ts'

const here = inFile('sync')
const reconfig = (title: string): string =>
  `e2e/reconfig.test.ts › three members and room for two › ${title}`
const refused = (title: string): string =>
  `core/reconfig.test.ts › [G1] reconfig is refused as ZooKeeper refuses it, the first fault in its order › ${title}`
const trace = (file: string): string => `traces.test.ts › reconfiguration/${file}.txt`
const beside =
  'interop/zkcli-reconfig.test.ts › zkCli.sh, beside a real ZooKeeper › [G2] prints what it prints there'

const quorums =
  'e2e/ensemble/machines.test.ts › G09 G12 a change of the members needs a quorum of the old and of the new ones; a second one meanwhile is refused'

export const configuration: Section = {
  title: 'sync, reads without a quorum, and changing the members',
  rows: {
    G01: held('M', 'sync', here('G01 sync answers its path, whether there is such a node or not')),
    G02: held(
      'M',
      'a read behind a sync sees every write acknowledged before',
      here('G02 a read behind a sync at another member sees every write acknowledged before'),
      'actors/members.workers.test.ts › [R1] a write through one member is read at the others after a sync',
    ),
    G03: notHeld(
      'X',
      'a sync asks a quorum',
      'as in ZooKeeper it asks the leader, which may have lost its quorum and not know it for up to SYNC_LIMIT ticks',
    ),
    G04: held(
      'S',
      'a member without a quorum serves reads, and refuses what writes with −119',
      'e2e/modes.test.ts › an ensemble with local sessions and read-only mode › [S19] a member alone serves reads to who takes that, and lets go when there is a quorum',
    ),
    G05: held(
      'M',
      '/zookeeper/config',
      here('G05 /zookeeper/config names every member and its version'),
    ),
    G06: held(
      'M',
      'its addresses lead no client astray',
      'interop/curator.test.ts › EnsembleTracker',
      'interop/curator-members.test.ts › G06 goes to the members there are now, and keeps its session and its ephemerals',
    ),
    G07: held(
      'M',
      'a watch on it fires when the members change',
      reconfig('[G5] a member that sleeps is woken, added, and its watchers are told'),
      beside,
    ),
    G08: held(
      'M',
      'reconfig where it is disabled, not permitted, or of a server that is alone',
      here('G08 reconfig is answered −123 where it is not enabled'),
      reconfig('[G1] refuses over the wire what the leader refuses'),
      refused('while it is disabled, whatever else is wrong'),
      refused('at a standalone server'),
      'e2e/ensemble/standalone.test.ts › G08 a member alone does not know reconfig',
    ),
    G09: held(
      'M',
      'what reconfig refuses: another version, no configuration, no quorum of the new members, a second one',
      reconfig('[G1] refuses over the wire what the leader refuses'),
      reconfig('[G6] who must be awake first is woken by the refusal'),
      quorums,
      refused('while another one is under way'),
      refused('of another version than the present one'),
      refused('joining %s'),
      beside,
    ),
    G10: held(
      'M',
      'members are added, removed and change roles while clients go on, one by one or all at once',
      reconfig('[G5] a member that sleeps is woken, added, and its watchers are told'),
      reconfig('[G5] roles change both ways, and clients of that member come back'),
      reconfig('[G6] who must be awake first is woken by the refusal'),
      beside,
    ),
    G11: held(
      'M',
      'a leader that is removed hands over',
      reconfig('[G5] a removed leader hands over, and no write that was acknowledged is lost'),
    ),
    G12: held(
      'S',
      'a change needs a quorum of the old and of the new members',
      quorums,
      trace('both-quorums'),
    ),
  },
}
