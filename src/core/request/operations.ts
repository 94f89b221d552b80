/** What each operation means: how a write is prepared, how a read is answered. What is not here answers −6. */
import type { Operation } from '../wire/opcodes.ts'
import type { Asker, Prepared } from './prepare.ts'
import * as prepare from './prepare.ts'
import type { PendingView } from './pending.ts'
import * as read from './read.ts'
import type { Read, ReadContext } from './read.ts'

type Prepare = (request: never, asker: Asker, view: PendingView) => Prepared
type Answer = (request: never, context: ReadContext) => Read<unknown>

export type Meaning =
  | { readonly kind: 'write'; readonly prepare: Prepare; readonly inMulti: boolean }
  | { readonly kind: 'read'; readonly read: Answer }
  /** Ordered by the leader like writes, with bodies of their own (proposer.ts). */
  | { readonly kind: 'multi' | 'closeSession' | 'reconfig' }
  | { readonly kind: 'sync' | 'ping' | 'setWatches' | 'multiRead' | 'auth' | 'sasl' }
  | { readonly kind: 'absent' }

const absent = { kind: 'absent' } as const

export const operations = {
  create: { kind: 'write', prepare: prepare.prepareCreate, inMulti: true },
  create2: { kind: 'write', prepare: prepare.prepareCreate2, inMulti: true },
  delete: { kind: 'write', prepare: prepare.prepareDelete, inMulti: true },
  setData: { kind: 'write', prepare: prepare.prepareSetData, inMulti: true },
  setAcl: { kind: 'write', prepare: prepare.prepareSetAcl, inMulti: false },
  createContainer: { kind: 'write', prepare: prepare.prepareCreateContainer, inMulti: true },
  createTtl: { kind: 'write', prepare: prepare.prepareCreateTtl, inMulti: true },
  deleteContainer: { kind: 'write', prepare: prepare.refuseContainerDeletion, inMulti: false },
  reconfig: { kind: 'reconfig' },
  multi: { kind: 'multi' },
  closeSession: { kind: 'closeSession' },
  exists: { kind: 'read', read: read.readExists },
  getData: { kind: 'read', read: read.readData },
  getChildren: { kind: 'read', read: read.readChildren },
  getChildren2: { kind: 'read', read: read.readChildren },
  getAcl: { kind: 'read', read: read.readAcl },
  getEphemerals: { kind: 'read', read: read.readEphemerals },
  getAllChildrenNumber: { kind: 'read', read: read.readDescendantCount },
  whoAmI: { kind: 'read', read: read.readIdentities },
  addWatch: { kind: 'read', read: read.addWatch },
  checkWatches: { kind: 'read', read: read.checkWatches },
  removeWatches: { kind: 'read', read: read.removeWatches },
  multiRead: { kind: 'multiRead' },
  auth: { kind: 'auth' },
  sasl: { kind: 'sasl' },
  sync: { kind: 'sync' },
  ping: { kind: 'ping' },
  setWatches: { kind: 'setWatches' },
  setWatches2: { kind: 'setWatches' },
  // Outside a multi ZooKeeper refuses `check` too; inside, multi.ts knows it.
  check: absent,
  // The record of the log; a client that sends it is refused.
  createSession: absent,
} as const satisfies Record<Operation, Meaning>
