/** What travels: one row per operation, name → code and the records of its request and its reply. */
import type { Codec } from '../jute/codec.ts'
import * as jute from '../jute/records.ts'

interface Opcode {
  readonly code: number
  readonly request: Codec<never> | Codec<unknown>
  readonly reply: Codec<never> | Codec<unknown>
}

/** `multi` and `multiRead` have bodies of their own shape (wire/multi.ts); here they stand with none. */
export const opcodes = {
  create: { code: 1, request: jute.CreateRequest, reply: jute.PathResponse },
  delete: { code: 2, request: jute.DeleteRequest, reply: jute.Nothing },
  exists: { code: 3, request: jute.WatchedPathRequest, reply: jute.StatResponse },
  getData: { code: 4, request: jute.WatchedPathRequest, reply: jute.GetDataResponse },
  setData: { code: 5, request: jute.SetDataRequest, reply: jute.StatResponse },
  getAcl: { code: 6, request: jute.PathRequest, reply: jute.GetAclResponse },
  setAcl: { code: 7, request: jute.SetAclRequest, reply: jute.StatResponse },
  getChildren: { code: 8, request: jute.WatchedPathRequest, reply: jute.GetChildrenResponse },
  sync: { code: 9, request: jute.SyncPath, reply: jute.SyncPath },
  ping: { code: 11, request: jute.Nothing, reply: jute.Nothing },
  getChildren2: { code: 12, request: jute.WatchedPathRequest, reply: jute.GetChildren2Response },
  check: { code: 13, request: jute.CheckVersionRequest, reply: jute.Nothing },
  multi: { code: 14, request: jute.Nothing, reply: jute.Nothing },
  create2: { code: 15, request: jute.CreateRequest, reply: jute.PathAndStatResponse },
  reconfig: { code: 16, request: jute.ReconfigRequest, reply: jute.GetDataResponse },
  checkWatches: { code: 17, request: jute.WatchesRequest, reply: jute.Nothing },
  removeWatches: { code: 18, request: jute.WatchesRequest, reply: jute.Nothing },
  createContainer: { code: 19, request: jute.CreateRequest, reply: jute.PathAndStatResponse },
  deleteContainer: { code: 20, request: jute.PathRequest, reply: jute.Nothing },
  createTtl: { code: 21, request: jute.CreateTtlRequest, reply: jute.PathAndStatResponse },
  multiRead: { code: 22, request: jute.Nothing, reply: jute.Nothing },
  auth: { code: 100, request: jute.AuthPacket, reply: jute.Nothing },
  setWatches: { code: 101, request: jute.SetWatches, reply: jute.Nothing },
  sasl: { code: 102, request: jute.SaslToken, reply: jute.SaslToken },
  getEphemerals: {
    code: 103,
    request: jute.GetEphemeralsRequest,
    reply: jute.GetEphemeralsResponse,
  },
  getAllChildrenNumber: {
    code: 104,
    request: jute.PathRequest,
    reply: jute.GetAllChildrenNumberResponse,
  },
  setWatches2: { code: 105, request: jute.SetWatches2, reply: jute.Nothing },
  addWatch: { code: 106, request: jute.AddWatchRequest, reply: jute.ErrorResponse },
  whoAmI: { code: 107, request: jute.Nothing, reply: jute.WhoAmIResponse },
  createSession: { code: -10, request: jute.CreateSessionTxn, reply: jute.Nothing },
  closeSession: { code: -11, request: jute.Nothing, reply: jute.Nothing },
} as const satisfies Record<string, Opcode>

export type Operation = keyof typeof opcodes

const byCode = new Map<number, Operation>(
  Object.entries(opcodes).map(([name, row]) => [row.code, name as Operation]),
)

/** The operation of a code; undefined for one ZooKeeper does not have. */
export const operationOf = (code: number): Operation | undefined => byCode.get(code)

/** In a log, the type of a txn that only used up its zxid. */
export const errorTxnType = -1

/** Xids that are no request of a client's own. */
export const xids = { watchEvent: -1, ping: -2, auth: -4, setWatches: -8 } as const

export const eventTypes = {
  none: -1,
  created: 1,
  deleted: 2,
  dataChanged: 3,
  childrenChanged: 4,
} as const
export type EventType = (typeof eventTypes)[keyof typeof eventTypes]

/** The only state a server ever sends. */
export const syncConnected = 3

export const createFlags = {
  persistent: 0,
  ephemeral: 1,
  persistentSequential: 2,
  ephemeralSequential: 3,
  container: 4,
  persistentWithTtl: 5,
  persistentSequentialWithTtl: 6,
} as const

/** AddWatchMode: watches that are told until they are removed. */
export const addWatchModes = { persistent: 0, persistentRecursive: 1 } as const

/** WatcherType: which watches a client asks about, or wants removed. */
export const watcherTypes = {
  children: 1,
  data: 2,
  any: 3,
  persistent: 4,
  persistentRecursive: 5,
} as const

/** Permission bits of an ACL. */
export const permissions = { read: 1, write: 2, create: 4, delete: 8, admin: 16, all: 31 } as const
