import { held, inFile, notHeld, type Section } from '../row.ts'

const here = inFile('data')
const reaper = inFile('reaper')

export const nodes: Section = {
  title: 'Operations on nodes',
  rows: {
    D01: held(
      'M',
      'create, and the Stat of a new node',
      here('D01 a new node’s Stat has its zxid and time, every version 0, and its owner'),
    ),
    D02: held(
      'M',
      'what a create is refused for',
      here('D02 a create is refused for its parent, its name, its path, its ACL or its flag'),
    ),
    D03: held(
      'M',
      'the order in which a write is checked',
      here('D03 of several faults of one write the first in ZooKeeper’s order answers'),
      'core/prepare.test.ts › [R2] of several faults of a create the first of ZooKeeper’s order answers › %s',
    ),
    D04: held('M', 'no children below an ephemeral', here('D04 an ephemeral has no children')),
    D05: held('M', 'which paths there may be', here('D05 forty paths are taken or refused')),
    D06: held(
      'M',
      'sequential names',
      here(
        'D06 D07 the sequence suffix counts every create below the parent, whatever its prefix, and no delete',
      ),
    ),
    D07: held(
      'M',
      'their counter is the parent’s, and outlives restarts',
      here(
        'D06 D07 the sequence suffix counts every create below the parent, whatever its prefix, and no delete',
      ),
      here('D07 D29 the counter of names and a megabyte of data outlive every member'),
    ),
    D08: held(
      'M',
      'a sequential name of the number alone',
      here('D08 a sequential create with a slash at its end is named by its number alone'),
    ),
    D09: held(
      'S',
      'the counter wraps at 2³¹ as ZooKeeper’s does',
      'core/prepare.test.ts › [T2] after %i creations the sequence suffix is %s',
    ),
    D10: held(
      'M',
      'cversion',
      here('D10 a parent’s cversion is twice its creates less its children'),
    ),
    D11: held(
      'M',
      'pzxid',
      here('D11 pzxid moves when a child comes or goes, and not when its data change'),
    ),
    D12: held(
      'M',
      'setData and its version',
      here('D12 setData checks the version and counts it up'),
    ),
    D13: held(
      'M',
      'delete and what it checks',
      here('D13 delete checks existence, version and children, in this order'),
    ),
    D14: held(
      'M',
      'ZooKeeper’s own nodes are protected',
      here('D14 ZooKeeper’s own nodes are not deleted; the root has data like others'),
    ),
    D15: held(
      'M',
      'exists',
      here('D15 exists answers the Stat, −101 for no node, and asks for READ'),
    ),
    D16: held(
      'M',
      'getChildren and getChildren2',
      here('D16 getChildren2 is getChildren and a Stat of 68 bytes behind it'),
    ),
    D17: held(
      'M',
      'getAllChildrenNumber',
      here('D17 getAllChildrenNumber counts every descendant'),
    ),
    D18: held(
      'M',
      'getEphemerals',
      here('D18 getEphemerals tells the session’s own below a prefix'),
    ),
    D19: held(
      'M',
      'reads of paths that are none',
      here('D19 reads do not look whether a path is one, and the empty path is the root'),
    ),
    D20: held('M', 'create2', here('D20 create2 answers path and Stat')),
    D21: held(
      'M',
      'containers',
      reaper('D21 a container is created with its own operation and has no owner'),
    ),
    D22: held(
      'M',
      'empty containers are taken away, unused ones are not',
      reaper('D22 a container goes after its last child, and not before its first'),
    ),
    D23: held(
      'M',
      'nodes with a time to live',
      reaper(
        'D23 a node with a time to live goes when that is over, unless it is written or has children',
      ),
    ),
    D24: held(
      'M',
      'which times to live there may be',
      reaper(
        'D24 a time to live is between 1 and 1 099 511 627 775, and with its own operation only',
      ),
      reaper('D24 where extended types are off, a time to live is answered −6'),
    ),
    D25: held(
      'M',
      'createTTL without a TTL flag does no harm',
      reaper(
        'D25 a create with the TTL operation and no TTL flag is refused, and every member goes on',
      ),
    ),
    D26: held(
      'M',
      'containers and times to live in a multi',
      reaper(
        'D26 a multi answers container and TTL creates as a create2, and a create2 as a create',
      ),
    ),
    D27: notHeld(
      'S',
      'a version that was changed 2³² times',
      'it wraps over −1 as in ZooKeeper up to 3.9, which no test shows',
    ),
    D28: held(
      'M',
      'Stats are the same at every member',
      here('D28 a node’s Stat is the same at every member, its times too'),
    ),
    D29: held(
      'M',
      'a node of a megabyte',
      here('D29 a node of a megabyte is read as it was written'),
      here('D07 D29 the counter of names and a megabyte of data outlive every member'),
    ),
    D30: held('M', 'a node with 50,000 children', here('D30 a node has fifty thousand children')),
    D31: held(
      'M',
      'deleteContainer of a client is refused',
      reaper('D31 a client does not take part in the reaper’s work'),
    ),
  },
}
