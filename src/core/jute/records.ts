/**
 * zookeeper.jute as values: same order, same names (camel case). Modules `data`, `proto` and `txn`.
 */
import {
  bool,
  buffer,
  type Codec,
  type Decoded,
  id,
  int,
  long,
  MalformedFrame,
  optionalTail,
  record,
  ustring,
  ustringOrEmpty,
  ustringOrNull,
  vector,
} from './codec.ts'

const nothing: Codec<undefined> = { read: () => undefined, write: () => undefined }

// module data

export interface Id {
  readonly scheme: string
  readonly id: string
}
/** kazoo writes an empty text as null: ZooKeeper takes it, except where the scheme’s own check falls over it. */
export const Id: Codec<Id> = {
  read(reader) {
    const scheme = reader.ustring() ?? ''
    const text = reader.ustring()
    if (text === null && schemesOfIds.has(scheme)) throw new MalformedFrame(`a null ${scheme} id`)
    return { scheme, id: text ?? '' }
  },
  write(writer, { scheme, id: text }) {
    writer.ustring(scheme)
    writer.ustring(text)
  },
}
const schemesOfIds: ReadonlySet<string> = new Set(['world', 'digest', 'ip'])

export const Acl = record({ perms: int, id: Id })
export type Acl = Decoded<typeof Acl>

export const Stat = record({
  czxid: long,
  mzxid: long,
  ctime: long,
  mtime: long,
  version: int,
  cversion: int,
  aversion: int,
  ephemeralOwner: id,
  dataLength: int,
  numChildren: int,
  pzxid: long,
})
export type Stat = Decoded<typeof Stat>

// module proto

export const ConnectRequest = record({
  protocolVersion: int,
  lastZxidSeen: long,
  timeOut: int,
  sessionId: id,
  passwd: buffer,
  readOnly: optionalTail(bool),
})
export type ConnectRequest = Decoded<typeof ConnectRequest>

export const ConnectResponse = record({
  protocolVersion: int,
  timeOut: int,
  sessionId: id,
  passwd: buffer,
  readOnly: optionalTail(bool),
})
export type ConnectResponse = Decoded<typeof ConnectResponse>

export const ReplyHeader = record({ xid: int, zxid: long, err: int })
export type ReplyHeader = Decoded<typeof ReplyHeader>

export const Nothing = nothing
export const CreateRequest = record({ path: ustring, data: buffer, acl: vector(Acl), flags: int })
export type CreateRequest = Decoded<typeof CreateRequest>
export const CreateTtlRequest = record({
  path: ustring,
  data: buffer,
  acl: vector(Acl),
  flags: int,
  ttl: long,
})
export const PathResponse = record({ path: ustring })
export const PathAndStatResponse = record({ path: ustring, stat: Stat })
export const PathRequest = record({ path: ustring })
/** Asked and answered: whatever it is, it comes back. */
export const SyncPath = record({ path: ustringOrNull })
export const DeleteRequest = record({ path: ustring, version: int })
export type DeleteRequest = Decoded<typeof DeleteRequest>
export const WatchedPathRequest = record({ path: ustring, watch: bool })
export type WatchedPathRequest = Decoded<typeof WatchedPathRequest>
export const StatResponse = record({ stat: Stat })
export const GetDataResponse = record({ data: buffer, stat: Stat })
// Where ZooKeeper looks at the path before anything else, a null one is a bad argument as the empty one is.
export const SetDataRequest = record({ path: ustringOrEmpty, data: buffer, version: int })
export type SetDataRequest = Decoded<typeof SetDataRequest>
export const GetAclResponse = record({ acl: vector(Acl), stat: Stat })
export const SetAclRequest = record({ path: ustringOrEmpty, acl: vector(Acl), version: int })
export type SetAclRequest = Decoded<typeof SetAclRequest>
export const GetChildrenResponse = record({ children: vector(ustring) })
export const GetChildren2Response = record({ children: vector(ustring), stat: Stat })
export const CheckVersionRequest = record({ path: ustringOrEmpty, version: int })
export type CheckVersionRequest = Decoded<typeof CheckVersionRequest>
export const MultiHeader = record({ type: int, done: bool, err: int })
export const ErrorResponse = record({ err: int })
export const ReconfigRequest = record({
  joiningServers: ustringOrNull,
  leavingServers: ustringOrNull,
  newMembers: ustringOrNull,
  curConfigId: long,
})
export const WatchesRequest = record({ path: ustring, type: int })
export const AuthPacket = record({ type: int, scheme: ustringOrEmpty, auth: buffer })
export const SetWatches = record({
  relativeZxid: long,
  dataWatches: vector(ustring),
  existWatches: vector(ustring),
  childWatches: vector(ustring),
})
export type SetWatches = Decoded<typeof SetWatches>
export const SetWatches2 = record({
  relativeZxid: long,
  dataWatches: vector(ustring),
  existWatches: vector(ustring),
  childWatches: vector(ustring),
  persistentWatches: vector(ustring),
  persistentRecursiveWatches: vector(ustring),
})
export const SaslToken = record({ token: buffer })
export const GetEphemeralsRequest = record({ prefixPath: ustringOrNull })
export const GetEphemeralsResponse = record({ ephemerals: vector(ustring) })
export const GetAllChildrenNumberResponse = record({ totalNumber: int })
export const AddWatchRequest = record({ path: ustring, mode: int })
export const ClientInfo = record({ authScheme: ustring, user: ustring })
export const WhoAmIResponse = record({ clientInfo: vector(ClientInfo) })
export const WatcherEvent = record({ type: int, state: int, path: ustring })
export type WatcherEvent = Decoded<typeof WatcherEvent>

// module txn

export const TxnHeader = record({ clientId: id, cxid: int, zxid: long, time: long, type: int })
export type TxnHeader = Decoded<typeof TxnHeader>
export const CreateTxn = record({
  path: ustring,
  data: buffer,
  acl: vector(Acl),
  ephemeral: bool,
  parentCVersion: int,
})
export type CreateTxn = Decoded<typeof CreateTxn>
export const CreateContainerTxn = record({
  path: ustring,
  data: buffer,
  acl: vector(Acl),
  parentCVersion: int,
})
export const CreateTtlTxn = record({
  path: ustring,
  data: buffer,
  acl: vector(Acl),
  parentCVersion: int,
  ttl: long,
})
export const DeleteTxn = record({ path: ustring })
export const SetDataTxn = record({ path: ustring, data: buffer, version: int })
export type SetDataTxn = Decoded<typeof SetDataTxn>
export const CheckVersionTxn = record({ path: ustring, version: int })
export const SetAclTxn = record({ path: ustring, acl: vector(Acl), version: int })
export const CreateSessionTxn = record({ timeOut: int })
export const ErrorTxn = record({ err: int })
export const Txn = record({ type: int, data: buffer })
export const MultiTxn = record({ txns: vector(Txn) })
