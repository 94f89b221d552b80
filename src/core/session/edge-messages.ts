/**
 * What a session actor and a member say to each other: frames of many sessions in one message. A session is named by its
 * slot, a number the actor gave it.
 *
 * A message is a repetition of: byte kind, then the record of that kind. Both ends are ours; bytes that are no message
 * end the edge.
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
  Reader,
  record,
  ustring,
  vector,
  type Writer,
} from '../jute/codec.ts'
import { Id } from '../jute/records.ts'

const watchLists = {
  dataWatches: vector(ustring),
  existWatches: vector(ustring),
  childWatches: vector(ustring),
  persistentWatches: vector(ustring),
  persistentRecursiveWatches: vector(ustring),
}

/** Actor → member. */
export const upRecords = {
  /** Make a new session of this id, for a client that has seen `lastZxid`. */
  open: record({
    slot: int,
    session: id,
    timeoutMs: int,
    address: ustring,
    lastZxid: long,
    /** What the connection proved by itself, a certificate's subject. */
    identities: vector(Id),
    /** The client takes a member that serves only reads. */
    canBeReadOnly: bool,
  }),
  /** Serve a session that exists, which has seen `lastZxid`; re-arm its watches as SetWatches does. */
  resume: record({
    slot: int,
    session: id,
    timeoutMs: int,
    address: ustring,
    lastZxid: long,
    canBeReadOnly: bool,
    /** No txn made it, as far as the actor knows. */
    isLocal: bool,
    ...watchLists,
    /** What this connection proved before: the member believes the actor that heard it. */
    identities: vector(Id),
  }),
  /** A client's request, without its length. */
  request: record({ slot: int, frame: buffer }),
  /** The client is gone from this member; its session lives. */
  drop: record({ slot: int }),
  /** The session's time is over: close it. */
  expire: record({ session: id }),
  /** Which sessions are mine? */
  list: record({ number: int, idsFrom: id, idsTo: id }),
  /** More watches of a session that resumes: those of 100,000 long paths fit no single call. */
  rearm: record({ slot: int, lastZxid: long, ...watchLists }),
} as const

/** Member → actor. */
export const downRecords = {
  /** Answer to `open` and `resume`; `verdict` is one of `verdicts`. */
  attached: record({ slot: int, verdict: int }),
  /** Frames for the client, each with its length. */
  frames: record({ slot: int, frames: buffer }),
  /** One frame for many clients. */
  event: record({ slots: vector(int), frame: buffer }),
  /** A txn made the local session a global one. */
  upgraded: record({ slot: int }),
  /** What the client has proved so far, for the actor to say again when another member takes over. */
  proved: record({ slot: int, identities: vector(Id) }),
  /** Close the client's connection; its session lives. */
  hangup: record({ slot: int }),
  /** The session is no more: close the connection, forget it. */
  ended: record({ slot: int }),
  /** Answer to `expire`: the session is no more. */
  expired: record({ session: id }),
  /** Answer to `list`. */
  sessions: record({ number: int, sessions: vector(record({ session: id, timeoutMs: int })) }),
  /** The members are others than when the ensemble began. */
  members: record({ sids: vector(int) }),
} as const

export const verdicts = {
  /** Serve it. */
  alive: 0,
  /** There is no such session (any more). */
  gone: 1,
  /** The client has seen more than this member: it must go elsewhere. */
  behind: 2,
  /** The id of `open` is in use: take another. */
  taken: 3,
  /** Serve it; it is local. */
  local: 4,
  /** Serve it, for reads only: there is no quorum. */
  readOnly: 5,
  /** This member serves only reads, and the client did not say that it would take that. */
  unwelcome: 6,
  /** The member, or the client's address, has as many connections as it may. */
  crowded: 7,
} as const

type MessageOf<R extends Record<string, Codec<never> | Codec<unknown>>> = {
  [K in keyof R]: { readonly type: K } & Decoded<R[K]>
}[keyof R]
export type UpMessage = MessageOf<typeof upRecords>
export type DownMessage = MessageOf<typeof downRecords>

export const writeUp = (into: Writer, message: UpMessage): void => write(into, upRecords, message)
export const writeDown = (into: Writer, message: DownMessage): void =>
  write(into, downRecords, message)
/** Throws MalformedFrame. */
export const readUp = (bytes: Uint8Array): UpMessage[] => read(bytes, upRecords) as UpMessage[]
/** Throws MalformedFrame. */
export const readDown = (bytes: Uint8Array): DownMessage[] =>
  read(bytes, downRecords) as DownMessage[]

/** The kind byte of client frames, for whoever writes their bytes in place. */
export const framesKind = Object.keys(downRecords).indexOf('frames')

type Records = Readonly<Record<string, Codec<never> | Codec<unknown>>>

function write(into: Writer, records: Records, message: { readonly type: string }): void {
  const kind = Object.keys(records).indexOf(message.type)
  into.byte(kind)
  ;(records[message.type] as Codec<unknown>).write(into, message)
}

function read(bytes: Uint8Array, records: Records): { readonly type: string }[] {
  const kinds = Object.keys(records)
  const reader = new Reader(bytes)
  const messages: { type: string }[] = []
  while (reader.left > 0) {
    const kind = reader.byte()
    const type = kinds[kind]
    if (type === undefined) throw new MalformedFrame(`edge message of kind ${kind}`)
    const message = (records[type] as Codec<unknown>).read(reader) as { type: string }
    message.type = type
    messages.push(message)
  }
  return messages
}
