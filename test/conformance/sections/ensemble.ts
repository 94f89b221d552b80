import { held, inFile, type Section } from '../row.ts'

const here = inFile('sync')

export const ensemble: Section = {
  title: 'sync and configuration',
  rows: {
    G01: held('M', 'sync', here('G01 sync answers its path, whether there is such a node or not')),
    G02: held(
      'M',
      'a read behind a sync sees every write acknowledged before',
      here('G02 a read behind a sync at another member sees every write acknowledged before'),
      'actors/members.workers.test.ts › [R1] a write through one member is read at the others after a sync',
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
    ),
  },
}
