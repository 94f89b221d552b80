/**
 * Frames as they can be compared: what two servers cannot have in common is put relative to the run. Zxids count from
 * its beginning, times are known by the zxid they belong to, session ids have names, lists without order are sorted.
 */
import { type Codec, MalformedFrame, type Reader } from '../../src/core/jute/codec.ts'
import { ReplyHeader, WatcherEvent } from '../../src/core/jute/records.ts'
import { type MultiResult, readMultiResponse } from '../../src/core/wire/multi.ts'
import { opcodes, xids } from '../../src/core/wire/opcodes.ts'
import { readReply } from '../../src/core/wire/packets.ts'
import { hex, type Request } from './script.ts'

/** Something a server did. */
export type Observation =
  | {
      readonly saw: 'reply'
      readonly request: Request | undefined
      readonly xid: number
      readonly zxid: string
      readonly err: number
      readonly body: unknown
    }
  | {
      readonly saw: 'event'
      readonly zxid: string
      readonly err: number
      readonly type: number
      readonly state: number
      readonly path: string
    }
  | {
      readonly saw: 'greeting'
      readonly timeOut: number
      readonly session: string
      readonly rest: unknown
    }
  | { readonly saw: 'closed' | 'silent' | 'kept'; readonly unanswered: number }

export class Mask {
  #base = 0
  readonly #times = new Map<number, number>()
  readonly #names = new Map<bigint, string>([[0n, '0']])

  /** Zxids are counted from here. */
  beginAt(zxid: number): void {
    this.#base = zxid
  }

  get base(): number {
    return this.#base
  }

  /** The name of a session id from now on. */
  call(id: bigint, name: string): void {
    this.#names.set(id, name)
  }

  nameOf(id: bigint): string {
    return this.#names.get(id) ?? `unknown ${hex(new Uint8Array(new BigInt64Array([id]).buffer))}`
  }

  isEvent = (frame: Uint8Array): boolean => readReply(frame).header.xid === xids.watchEvent

  event(frame: Uint8Array): Observation {
    const { header, body } = readReply(frame)
    const { type, state, path } = WatcherEvent.read(body)
    return { saw: 'event', zxid: this.zxid(header.zxid), err: header.err, type, state, path }
  }

  reply(frame: Uint8Array, request: Request | undefined): Observation {
    const { header, body } = readReply(frame)
    const { xid, zxid, err } = header
    const read = this.#readBody(body, header, request)
    return { saw: 'reply', request, xid, zxid: this.zxid(zxid), err, body: read }
  }

  zxid(zxid: number): string {
    if (zxid <= 0) return String(zxid)
    return zxid <= this.#base ? 'old' : `z${zxid - this.#base}`
  }

  #readBody(body: Reader, { err }: ReplyHeader, request: Request | undefined): unknown {
    const from = body.at
    const whole = body.bytes.subarray(from)
    if (err !== 0 || request === undefined) return whole.length === 0 ? undefined : hex(whole)
    try {
      const value = this.#mask(readResult(body, request))
      return body.left === 0 ? value : { value, rest: hex(body.bytes.subarray(body.at)) }
    } catch (fault) {
      if (!(fault instanceof MalformedFrame)) throw fault
      return { unreadable: hex(whole) }
    }
  }

  #mask(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((item) => this.#mask(item))
    if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
    const masked: Record<string, unknown> = {}
    for (const [name, field] of Object.entries(value)) {
      masked[name] = this.#maskField(name, field, value as Readonly<Record<string, unknown>>)
    }
    return masked
  }

  #maskField(name: string, field: unknown, of: Readonly<Record<string, unknown>>): unknown {
    switch (name) {
      case 'czxid':
      case 'mzxid':
      case 'pzxid':
        return this.zxid(field as number)
      case 'ctime':
        return this.#time(field as number, of['czxid'] as number)
      case 'mtime':
        return this.#time(field as number, of['mzxid'] as number)
      case 'ephemeralOwner':
        return this.nameOf(field as bigint)
      case 'children':
      case 'ephemerals':
        return (field as readonly string[]).toSorted()
      case 'clientInfo':
        return (field as readonly object[]).map((info) => JSON.stringify(info)).toSorted()
      default:
        return this.#mask(field)
    }
  }

  /** Everything of one txn happened at one time, and not long ago. */
  #time(time: number, zxid: number): string {
    if (zxid <= this.#base) return 'old'
    const known = this.#times.get(zxid)
    this.#times.set(zxid, time)
    if (known !== undefined && known !== time) return `${time}, but ${known} before`
    return Math.abs(time - Date.now()) < 3_600_000 ? `t${zxid - this.#base}` : `far: ${time}`
  }
}

function readResult(body: Reader, { op, code }: Request): unknown {
  if (code !== undefined) return undefined
  if (op === 'multi' || op === 'multiRead') return readMultiResponse(body).map(namedResult)
  return (opcodes[op].reply as Codec<unknown>).read(body)
}

const namedResult = (result: MultiResult): unknown =>
  'err' in result ? result.err : { [result.operation]: result.reply ?? 'done' }
