import { held, type Section } from '../row.ts'

export const clients: Section = {
  title: 'Stock clients',
  rows: {
    C01: held(
      'M',
      'zkCli.sh',
      'interop/zkcli.test.ts › creates, reads, changes, lists and deletes',
      'interop/zkcli.test.ts › does the rest of its commands',
      'interop/zkcli.test.ts › sets a quota, lists what it counts, and deletes it',
      'interop/zkcli.test.ts › hears of a change that a client of another member makes',
    ),
    C02: held(
      'M',
      'the Java client, waiting for its answers and not',
      'interop/java-client.test.ts › the Java client against $name › %s',
    ),
    C03: held(
      'M',
      'the C client',
      'interop/cli-mt.test.ts › creates, reads, watches, changes and deletes',
      'interop/cli-mt.test.ts › ends a session whose ephemerals then vanish for others',
    ),
    C04: held(
      'M',
      'kazoo’s own tests, but those that stop servers and those of reconfig',
      'interop/kazoo-own-tests.test.ts › %s',
      'interop/kazoo.test.ts › does everything a stock client does, its recipes too',
    ),
    C05: held(
      'M',
      'kazoo’s recipes',
      'interop/kazoo-recipes.test.ts › kazoo’s recipes against $name › %s',
    ),
    C06: held(
      'M',
      'Curator’s recipes',
      'interop/curator.test.ts › Curator’s recipes against $name › %s',
    ),
    C07: held(
      'M',
      'Curator as it connects by default',
      'interop/curator.test.ts › EnsembleTracker',
    ),
    C08: held(
      'M',
      'node-zookeeper-client',
      'interop/node-zookeeper-client.test.ts › npm’s node-zookeeper-client against $name › creates each kind of node, reads, changes and deletes',
      'interop/node-zookeeper-client.test.ts › commits a transaction whole or not at all',
    ),
  },
}
