/** Why a request was refused ⇄ ZooKeeper's error codes (KeeperException.Code). */
export const errorCodes = {
  SystemError: -1,
  RuntimeInconsistency: -2,
  DataInconsistency: -3,
  ConnectionLoss: -4,
  MarshallingError: -5,
  Unimplemented: -6,
  OperationTimeout: -7,
  BadArguments: -8,
  NewConfigNoQuorum: -13,
  ReconfigInProgress: -14,
  NoNode: -101,
  NoAuth: -102,
  BadVersion: -103,
  NoChildrenForEphemerals: -108,
  NodeExists: -110,
  NotEmpty: -111,
  SessionExpired: -112,
  InvalidCallback: -113,
  InvalidAcl: -114,
  AuthFailed: -115,
  SessionMoved: -118,
  NotReadOnly: -119,
  EphemeralOnLocalSession: -120,
  NoWatcher: -121,
  RequestTimeout: -122,
  ReconfigDisabled: -123,
  SessionClosedRequireSaslAuth: -124,
  QuotaExceeded: -125,
  ThrottledOp: -127,
} as const

export type Refusal = keyof typeof errorCodes

const names = new Map<number, Refusal>(
  Object.entries(errorCodes).map(([name, code]) => [code, name as Refusal]),
)

/** The name of an error code; undefined for a code ZooKeeper does not have. */
export const refusalOf = (code: number): Refusal | undefined => names.get(code)
