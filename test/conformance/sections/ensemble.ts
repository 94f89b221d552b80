import { held, type Section } from '../row.ts'

const elections = (title: string): string => `e2e/ensemble/elections.test.ts › ${title}`
const machines = (title: string): string => `e2e/ensemble/machines.test.ts › ${title}`
const failover = (title: string): string => `e2e/failover.test.ts › ${title}`
const crashPoint = (title: string): string =>
  `actors/crash-points.workers.test.ts › Z07 a member that dies %s › ${title}`
const trace = (file: string): string => `traces.test.ts › ${file}.txt`
const chaos = (title: string): string => `chaos/main.ts › ${title}`
const allIsTrue = chaos(
  'all that clients were told can be true, and members at rest have one zxid and one digest',
)
const simulator = 'core/simulator.test.ts › storms over the whole system'
const everySize = failover(
  'ensembles of every size › ${members} members and ${observers} observers form, serve by each, and stop at a minority',
)
const hundred = elections(
  'Z01 Z05 a hundred forced elections: each epoch has one leader, and no acknowledged write is lost',
)

export const ensemble: Section = {
  title: 'The ensemble',
  rows: {
    Z01: held(
      'M',
      'an epoch has one leader',
      hundred,
      'core/simulator.test.ts › storms over the consensus alone',
    ),
    Z02: held(
      'M',
      'the newest epoch and log win an election, then the highest number',
      elections('Z02 the member with the newest log leads, whatever its number'),
      trace('election/newer-epoch-wins'),
      trace('election/newer-data-wins'),
      trace('election/tie'),
    ),
    Z03: held('M', 'a minority acknowledges nothing', everySize),
    Z04: held(
      'X',
      'the next write is acknowledged within five seconds of a leader’s death',
      'e2e/cluster.test.ts › [M2] goes on at once when the leader’s machine dies, and gets its member back with everything',
    ),
    Z05: held(
      'M',
      'no acknowledged write is lost',
      hundred,
      'e2e/crash.test.ts › keeps every acknowledged write over kill -9, goes on with its zxids, and sessions resume',
      allIsTrue,
      simulator,
    ),
    Z06: held(
      'M',
      'what a leader that died had not got committed is kept everywhere or nowhere',
      machines(
        'Z06 Z09 what a leader logged alone is dropped where the others went on without it, by a TRUNC',
      ),
      'actors/crash-points.workers.test.ts › Z06 what a leader that died had logged alone is kept everywhere, where its log is the newest',
      trace('broadcast/leader-lost-one-follower-has-it'),
    ),
    Z07: held(
      'M',
      'a crash at any step into a new epoch loses nothing',
      crashPoint('as follower: %s'),
      crashPoint('as the one that is to lead: %s'),
      crashPoint('in a TRUNC'),
      crashPoint('in a SNAP: %s'),
      crashPoint('as %s: a proposal'),
      trace('synchronization/crash-before-newleader-is-durable'),
      trace('synchronization/crash-after-newleader-is-durable'),
      simulator,
    ),
    Z08: held(
      'M',
      'a member that was away gets a DIFF, a TRUNC or a SNAP, and then has the same tree',
      elections(
        'Z08 a member that lacks a little gets a DIFF, one that lacks more than is kept a SNAP',
      ),
      machines(
        'Z06 Z09 what a leader logged alone is dropped where the others went on without it, by a TRUNC',
      ),
    ),
    Z09: held(
      'M',
      'a TRUNC cuts what is of the same epoch, else it is a SNAP',
      machines(
        'Z06 Z09 what a leader logged alone is dropped where the others went on without it, by a TRUNC',
      ),
      crashPoint('in a SNAP: %s'),
      trace('synchronization/never-across-an-epoch'),
    ),
    Z10: held(
      'M',
      'equal trees at equal zxids, whatever happened',
      hundred,
      elections('Z21 two hundred clients keep their sessions and ephemerals while leaders die'),
      failover('keeps every acknowledged write, every session and every ephemeral'),
      allIsTrue,
      'actors/members.workers.test.ts › [Z1] members with equal zxid have equal digest',
    ),
    Z11: held(
      'M',
      'the digest is the one that ZooKeeper computes',
      'e2e/conformance/digest.test.ts › Z11 has the digest that ours has, behind each of its txns',
    ),
    Z12: held(
      'M',
      'writes are linearizable, reads sequentially consistent per session',
      allIsTrue,
      simulator,
    ),
    Z13: held('S', 'observers serve, pass writes on, and count in no quorum', everySize),
    Z14: held(
      'S',
      'groups of voters with weights decide',
      'e2e/ensemble/groups.test.ts › Z14 nine members in three groups go on without one group, and not without two',
      'e2e/ensemble/groups.test.ts › Z14 who has no weight never leads',
      trace('reconfiguration/groups'),
      trace('reconfiguration/weight-zero'),
    ),
    Z15: held(
      'M',
      'a follower passes writes on, and answers them itself behind its own apply',
      elections(
        'Z15 a write at a follower is answered there, behind its apply: the read behind it sees it',
      ),
    ),
    Z16: held(
      'M',
      'a follower that is too slow is dropped, and catches up later',
      machines('Z16 a follower that is too slow is dropped; when it is back it gets what it lacks'),
      trace('broadcast/dropped-for-slowness'),
    ),
    Z17: held(
      'S',
      'when an epoch’s zxids are used up there is an election, and nothing is lost',
      'actors/roll-over.workers.test.ts › Z17 an epoch that has no zxid left ends in an election, again and again: nothing is lost, zxids go on',
      'core/roll-over.test.ts › [Z3] a leader whose counter ends steps down between two writes: nothing acknowledged is lost, zxids go on',
      'core/roll-over.test.ts › [Z3] more writes at once than an epoch has zxids left: those it has are answered, no counter runs over',
    ),
    Z18: held(
      'M',
      'a member that dies in the middle of a snapshot comes back whole',
      crashPoint('in a SNAP: %s'),
      trace('synchronization/crash-in-snapshot'),
      'actors/members.workers.test.ts › [Z2] a member that died comes back from %s with everything acknowledged',
    ),
    Z19: held(
      'S',
      'a damaged log row is found, and the member has everything anew from its leader',
      'actors/damage.workers.test.ts › [D8] [Z6] %s is damaged: the member says so, and has everything anew from its leader',
    ),
    Z20: held(
      'M',
      'a member alone is a standalone server',
      'e2e/ensemble/standalone.test.ts › Z20 a member alone says that it is standalone',
      'e2e/conformance/digest.test.ts › Z20 random scripts beside a real one that is alone show no undeclared difference',
    ),
    Z21: held(
      'X',
      'two hundred clients lose no session of 30 s while leaders die',
      elections('Z21 two hundred clients keep their sessions and ephemerals while leaders die'),
      chaos('no session of 30 s is lost'),
    ),
  },
}
