/**
 * Frames ⇄ requests, replies, events and the two records of the handshake. Every frame written here carries its
 * length; every frame read here comes without it, as the deframer gives it.
 */
import { type Codec, type Decoded, Reader, Writer } from '../jute/codec.ts'
import { ConnectRequest, ConnectResponse, ReplyHeader, WatcherEvent } from '../jute/records.ts'
import type { Zxid } from '../shared/units.ts'
import { type EventType, type Operation, opcodes, syncConnected, xids } from './opcodes.ts'

const writer = new Writer(4096)

/** A frame with the length in front of what `write` wrote. */
export function frameOf(write: (writer: Writer) => void): Uint8Array {
  writer.reset()
  writer.int(0)
  write(writer)
  writer.patchInt(0, writer.at - 4)
  return writer.take()
}

export const writeConnectRequest = (request: ConnectRequest): Uint8Array =>
  frameOf((into) => ConnectRequest.write(into, request))

export const writeConnectResponse = (response: ConnectResponse): Uint8Array =>
  frameOf((into) => ConnectResponse.write(into, response))

/** The answer to a wrong password and to a session that is no more: all zero. */
export const refusedConnectResponse = (withReadOnly: boolean): Uint8Array =>
  writeConnectResponse({
    protocolVersion: 0,
    timeOut: 0,
    sessionId: 0n,
    passwd: new Uint8Array(16),
    readOnly: withReadOnly ? false : undefined,
  })

type RequestBody<O extends Operation> = Decoded<(typeof opcodes)[O]['request']>

export function writeRequest<O extends Operation>(
  xid: number,
  operation: O,
  body: RequestBody<O>,
): Uint8Array {
  const row = opcodes[operation]
  return frameOf((into) => {
    into.int(xid)
    into.int(row.code)
    ;(row.request as Codec<unknown>).write(into, body)
  })
}

/** A reply with a body; `codec` is the record of its operation. */
export function writeReply<T>(xid: number, zxid: Zxid, codec: Codec<T>, value: T): Uint8Array {
  return frameOf((into) => {
    writeHeader(into, xid, zxid, 0)
    codec.write(into, value)
  })
}

/** A reply that is a header only: an error, or an operation whose reply has no body. */
export const writeReplyHeader = (xid: number, zxid: Zxid, err: number): Uint8Array =>
  frameOf((into) => writeHeader(into, xid, zxid, err))

function writeHeader(into: Writer, xid: number, zxid: Zxid, err: number): void {
  into.int(xid)
  into.long(zxid)
  into.int(err)
}

/** A watch event as ZooKeeper 3.9 sends it: its header carries the zxid of the change. */
export function writeWatchEvent(zxid: number, type: EventType, path: string): Uint8Array {
  return frameOf((into) => {
    into.int(xids.watchEvent)
    into.long(zxid)
    into.int(0)
    WatcherEvent.write(into, { type, state: syncConnected, path })
  })
}

/** Header of a reply, and a reader that stands at its body. Throws MalformedFrame. */
export function readReply(frame: Uint8Array): { header: ReplyHeader; body: Reader } {
  const body = new Reader(frame)
  return { header: ReplyHeader.read(body), body }
}
