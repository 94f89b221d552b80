/** What a new tree holds: ZooKeeper's four nodes. Parents come first. */
import type { Acl } from '../jute/records.ts'
import { permissions } from '../wire/opcodes.ts'
import { worldAnyone } from './acl.ts'
import { configPath } from './path.ts'
import type { Znode } from './znode.ts'

const worldReads: readonly Acl[] = [
  { perms: permissions.read, id: { scheme: 'world', id: 'anyone' } },
]

/** Made anew for each tree, which changes them. */
export const firstNodes = (): [path: string, node: Znode][] => [
  ['/', fresh(worldAnyone, 1)],
  ['/zookeeper', fresh(worldAnyone, 2)],
  ['/zookeeper/quota', fresh(worldAnyone, 0)],
  [configPath, { ...fresh(worldReads, 0), version: -1, aversion: -1 }],
]

const fresh = (acl: readonly Acl[], childCount: number): Znode => ({
  data: new Uint8Array(0),
  acl,
  czxid: 0,
  mzxid: 0,
  pzxid: 0,
  ctime: 0,
  mtime: 0,
  version: 0,
  creations: 0,
  aversion: 0,
  owner: 0n,
  childCount,
  digest: 0,
})
