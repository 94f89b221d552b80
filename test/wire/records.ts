/** A frame of either side, read by our records and written again. */
import { type Codec, decode, Reader } from '../../src/core/jute/codec.ts'
import { ConnectRequest, ConnectResponse, WatcherEvent } from '../../src/core/jute/records.ts'
import { asZxid } from '../../src/core/shared/units.ts'
import {
  readMultiRequest,
  readMultiResponse,
  writeMultiRequest,
  writeMultiResponse,
} from '../../src/core/wire/multi.ts'
import { type EventType, type Operation, opcodes } from '../../src/core/wire/opcodes.ts'
import {
  frameOf,
  readReply,
  writeConnectRequest,
  writeConnectResponse,
  writeReply,
  writeReplyHeader,
  writeWatchEvent,
} from '../../src/core/wire/packets.ts'
import type { Frame } from './capture.ts'

/** Reads the frame and gives the bytes, length included, that we would have sent in its place. Throws MalformedFrame. */
export function rewritten(frame: Frame, bytes = frame.bytes): Uint8Array {
  if (frame.from === 'client') {
    if (frame.handshake) return writeConnectRequest(decode(ConnectRequest, bytes))
    return rewriteRequest(frame.operation as Operation, bytes)
  }
  if (frame.handshake) return writeConnectResponse(decode(ConnectResponse, bytes))
  return rewriteReply(frame.operation, bytes)
}

function rewriteRequest(operation: Operation, bytes: Uint8Array): Uint8Array {
  const reader = new Reader(bytes)
  const [xid, code] = [reader.int(), reader.int()]
  const body = bodyCodec(operation, 'request')
  const value = body.read(reader)
  return frameOf((into) => {
    into.int(xid)
    into.int(code)
    body.write(into, value)
  })
}

function rewriteReply(operation: Operation | undefined, bytes: Uint8Array): Uint8Array {
  const { header, body } = readReply(bytes)
  const zxid = asZxid(header.zxid)
  if (operation === undefined) {
    const { type, path } = WatcherEvent.read(body)
    return writeWatchEvent(zxid, type as EventType, path)
  }
  if (header.err !== 0) return writeReplyHeader(header.xid, zxid, header.err)
  const codec = bodyCodec(operation, 'reply')
  return writeReply(header.xid, zxid, codec, codec.read(body))
}

/** What a body means to whoever reads it. */
export function readBody(operation: Operation, side: 'request' | 'reply', reader: Reader): unknown {
  return bodyCodec(operation, side).read(reader)
}

const multi: Readonly<Record<'request' | 'reply', Codec<unknown>>> = {
  request: { read: readMultiRequest, write: writeMultiRequest as Codec<unknown>['write'] },
  reply: { read: readMultiResponse, write: writeMultiResponse as Codec<unknown>['write'] },
}

function bodyCodec(operation: Operation, side: 'request' | 'reply'): Codec<unknown> {
  if (operation === 'multi' || operation === 'multiRead') return multi[side]
  return opcodes[operation][side] as Codec<unknown>
}
