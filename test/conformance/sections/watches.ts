import { held, inFile, notHeld, type Section } from '../row.ts'

const here = inFile('watches')

export const watches: Section = {
  title: 'Watches',
  rows: {
    E01: held(
      'M',
      'a watch of getData',
      here('E01 a watch of getData tells once of a change or of the deletion'),
    ),
    E02: held(
      'M',
      'a watch of exists on no node',
      here('E02 a watch of exists on no node tells of its creation'),
    ),
    E03: held('M', 'a refused read leaves no watch', here('E03 a refused read leaves no watch')),
    E04: held(
      'M',
      'a watch of children',
      here(
        'E04 a watch of children tells when one comes or goes, not of grandchildren nor of data',
      ),
    ),
    E05: held(
      'M',
      'a deletion is told once',
      here('E05 who watches data and children of a node hears of its deletion once'),
    ),
    E06: held('M', 'a watch set twice is one', here('E06 a watch set five times is one')),
    E07: held('M', 'a changed ACL is no event', here('E07 nobody is told of a changed ACL')),
    E08: held(
      'M',
      'the frame of an event',
      here('E08 an event has xid −1, no error, the state SyncConnected and the zxid of its change'),
    ),
    E09: held(
      'M',
      'an event comes before any reply that shows its change',
      here('E09 an event comes before the reply that shows its change, to oneself and to others'),
    ),
    E10: held(
      'M',
      'events in the order of their changes',
      here('E10 events come in the order of their changes'),
    ),
    E11: held(
      'M',
      'persistent watches',
      here('E11 a persistent watch tells of everything about its node, again and again'),
    ),
    E12: held(
      'M',
      'recursive watches',
      here('E12 a recursive watch tells of its whole subtree, and never of lists of children'),
    ),
    E13: held(
      'M',
      'what addWatch answers',
      here(
        'E13 addWatch answers an error of 0 in its body, for a missing node too, and −5 for a mode that is none',
      ),
    ),
    E14: held(
      'S',
      'all modes on one path',
      here('E14 E16 every mode lives on one path, and each is found and removed by itself'),
    ),
    E15: held(
      'M',
      'checkWatches and removeWatches',
      here('E15 watches are found and removed by their type, and are silent afterwards'),
    ),
    E16: held(
      'S',
      'their types for watches that stay',
      here('E14 E16 every mode lives on one path, and each is found and removed by itself'),
    ),
    E17: held(
      'M',
      'setWatches',
      here(
        'E17 setWatches tells what changed since the zxid the client saw, and arms what did not',
      ),
    ),
    E18: held(
      'M',
      'setWatches2',
      here('E18 setWatches2 arms watches that stay, and tells nothing of what they missed'),
    ),
    E19: held(
      'M',
      'the Java client keeps its watches over a reconnect',
      'e2e/bridge.test.ts › zkCli’s watch outlives a bridge that is killed',
    ),
    E20: held(
      'M',
      'watches go with their connection',
      here('E20 watches go with their connection'),
    ),
    E21: held(
      'M',
      'events only for those who may read',
      here('E21 nobody hears of a node he may not read'),
      'core/desk.test.ts › [W6] nobody hears of a node he may not read',
    ),
    E22: held(
      'M',
      'events of ephemerals whose session ends',
      here('E22 the end of a session tells of each of its ephemerals and of their parents'),
    ),
    E23: held(
      'M',
      'a watch at one member, a write at another',
      here('E23 a watch at one member hears of a write at another'),
    ),
    E24: held(
      'M',
      'watches outlive the hibernation of their actor',
      'actors/sessions.workers.test.ts › [S2] its sockets go on: same session, watches set before fire, requests are answered',
    ),
    E25: held(
      'S',
      'a hundred thousand watches on one connection',
      'e2e/many-watches.test.ts › 100,000 data watches over $name › are set, and a change is told once',
    ),
    E26: notHeld(
      'X',
      'following changes from a zxid on, without a gap',
      'no operation of ZooKeeper’s asks for it; clients read anew after a reconnect',
    ),
  },
}
