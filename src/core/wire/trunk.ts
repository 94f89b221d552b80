/**
 * How the front, which has the sockets of TCP clients, speaks to the Worker. Each stream of its begins with a preface; then
 * it is one client's own bytes, or a trunk: the frames of many clients to and from one session actor, so that what many
 * ask at a time costs one read and one write.
 *
 * A trunk's messages, both ways: int length, then byte kind, int client, and the body to the end.
 */
import {
  bool,
  type Decoded,
  decode,
  encode,
  id,
  int,
  MalformedFrame,
  Reader,
  record,
  ustring,
  Writer,
} from '../jute/codec.ts'
import { limits } from '../shared/limits.ts'

/** Who speaks, and for whom. `address` and `session` are the client's, or of a trunk: any, and whose actor is wanted. */
export const Preface = record({
  secret: ustring,
  member: int,
  isTrunk: bool,
  address: ustring,
  /** 0: an actor with room for a new session. */
  session: id,
})
export type Preface = Decoded<typeof Preface>

const magic = 0x46_52_4e_54 // FRNT: as a length longer than any frame, and no four-letter word

/** The magic, int length, the record. */
export function writePreface(preface: Preface): Uint8Array {
  const body = encode(Preface, preface)
  const writer = new Writer(8 + body.length)
  writer.int(magic)
  writer.buffer(body)
  return writer.take()
}

/** `more`: it takes more bytes to tell; undefined: these are no preface. Throws MalformedFrame. */
export function prefaceOf(
  bytes: Uint8Array,
): { readonly preface: Preface; readonly rest: Uint8Array } | 'more' | undefined {
  const reader = new Reader(bytes)
  if (bytes.length < 4) return 'more'
  if (reader.int() !== magic) return undefined
  if (bytes.length < 8) return 'more'
  const length = reader.int()
  if (length < 1 || length > limits.prefaceBytesMax) {
    throw new MalformedFrame(`preface of ${length} bytes`)
  }
  if (reader.left < length) return 'more'
  return { preface: decode(Preface, reader.raw(length)), rest: bytes.subarray(8 + length) }
}

/** Front → actor. */
export const upKinds = {
  /** A client is here, a new number; body: `Newcomer`. */
  came: 1,
  /** Its whole frames, each with its length. */
  frames: 2,
  /** It is gone. */
  left: 3,
} as const

/** Actor → front. */
export const downKinds = {
  /** The first message: whose sessions are here, as the high bits of their ids; body: `Home`. Of no client. */
  home: 1,
  /** Frames for the client, each with its length. */
  frames: 2,
  /** Close the client's connection behind what was said to it. */
  hangup: 3,
  /** There is no room for one more session: the client goes to another actor, with all that it said. */
  full: 4,
  /** Read the client no further, until `resume`. */
  pause: 5,
  resume: 6,
} as const

export const Newcomer = record({ address: ustring, isNew: bool })
/** `prefix`: what `prefixOf` makes of the ids of its sessions. */
export const Home = record({ member: int, prefix: int })

/** The member and actor that a session id begins with. */
export const prefixOf = (session: bigint): number => Number(BigInt.asIntN(24, session >> 40n))

export interface TrunkMessage {
  readonly kind: number
  readonly client: number
  readonly body: Uint8Array
}

/** Length, kind and client. */
export const trunkHeadBytes = 9

export function writeTrunk(
  into: Writer,
  kind: number,
  client: number,
  ...bodies: readonly Uint8Array[]
): void {
  const at = into.at
  into.int(0)
  into.byte(kind)
  into.int(client)
  for (const body of bodies) into.raw(body)
  into.patchInt(at, into.at - at - 4)
}

/** Reads a message that was cut out of the stream by its length. Throws MalformedFrame. */
export function readTrunk(message: Uint8Array): TrunkMessage {
  const reader = new Reader(message)
  const kind = reader.byte()
  const client = reader.int()
  return { kind, client, body: message.subarray(trunkHeadBytes - 4) }
}
