/** A client that knows nothing but frames: for what a well-behaved one never does. */
import { afterEach } from 'vitest'
import { type Codec, type Decoded, decode, Reader } from '../../src/core/jute/codec.ts'
import { ConnectResponse, WatcherEvent } from '../../src/core/jute/records.ts'
import { Deframer } from '../../src/core/wire/deframer.ts'
import { type Operation, opcodes, xids } from '../../src/core/wire/opcodes.ts'
import { readReply, writeConnectRequest, writeRequest } from '../../src/core/wire/packets.ts'
import { until, upgrade } from './ensemble.ts'

interface Hello {
  readonly id: bigint
  readonly password: Uint8Array
  readonly lastZxidSeen: number
  readonly timeoutMs: number
}

const opened: Raw[] = []

export class Raw {
  readonly #socket: WebSocket
  readonly #frames: Uint8Array[] = []
  readonly texts: string[] = []
  closed: { readonly code: number; readonly reason: string } | undefined
  #xid = 0
  id = 0n
  password: Uint8Array = new Uint8Array(16)

  private constructor(socket: WebSocket) {
    this.#socket = socket
    const deframer = new Deframer(2 ** 25)
    socket.addEventListener('message', ({ data }) => {
      if (typeof data === 'string') this.texts.push(data)
      else this.#frames.push(...deframer.push(new Uint8Array(data as ArrayBuffer)))
    })
    socket.addEventListener('close', ({ code, reason }) => {
      this.closed = { code, reason }
    })
  }

  static async open(query = ''): Promise<Raw> {
    const raw = new Raw(await upgrade(query))
    opened.push(raw)
    return raw
  }

  /** Opens a socket and a session upon it. */
  static async begin(query = '', hello: Partial<Hello> = {}): Promise<Raw> {
    const raw = await Raw.open(query)
    await raw.hello(hello)
    return raw
  }

  /** A second connection of this session. */
  resume(query = '', hello: Partial<Hello> = {}): Promise<Raw> {
    const { id, password } = this
    const mark = query === '' ? '?' : `${query}&`
    return Raw.begin(`${mark}session=0x${BigInt.asUintN(64, id).toString(16)}`, {
      id,
      password,
      ...hello,
    })
  }

  async hello(hello: Partial<Hello> = {}): Promise<ConnectResponse> {
    this.send(
      writeConnectRequest({
        protocolVersion: 0,
        lastZxidSeen: hello.lastZxidSeen ?? 0,
        timeOut: hello.timeoutMs ?? 20_000,
        sessionId: hello.id ?? 0n,
        passwd: hello.password ?? new Uint8Array(16),
        readOnly: false,
      }),
    )
    const response = decode(ConnectResponse, await this.frame())
    this.id = response.sessionId
    this.password = new Uint8Array(response.passwd ?? [])
    return response
  }

  send(bytes: Uint8Array | string): void {
    this.#socket.send(typeof bytes === 'string' ? bytes : bytes.slice())
  }

  close(): void {
    this.#socket.close()
  }

  /** The next frame that is no event. Rejects when the connection is closed before. */
  async frame(): Promise<Uint8Array> {
    const found = await until('a frame', () => {
      const at = this.#frames.findIndex((frame) => !isEvent(frame))
      return at >= 0 ? this.#frames.splice(at, 1)[0] : this.closed
    })
    if (found instanceof Uint8Array) return found
    throw new Error(`closed: ${found.code} ${found.reason}`)
  }

  /** The events that came so far, as `type path`, with their zxids. */
  events(): { readonly zxid: number; readonly type: number; readonly path: string }[] {
    return this.#frames.filter(isEvent).map((frame) => {
      const { header, body } = readReply(frame)
      const { type, path } = WatcherEvent.read(body)
      return { zxid: header.zxid, type, path }
    })
  }

  async ask<O extends Operation>(
    operation: O,
    body: Decoded<(typeof opcodes)[O]['request']>,
  ): Promise<{
    readonly err: number
    readonly zxid: number
    readonly reply: Decoded<(typeof opcodes)[O]['reply']>
  }> {
    const xid = ++this.#xid
    this.send(writeRequest(xid, operation, body))
    const { header, body: rest } = readReply(await this.frame())
    if (header.xid !== xid) throw new Error(`reply ${header.xid} to request ${xid}`)
    const codec = opcodes[operation].reply as Codec<Decoded<(typeof opcodes)[O]['reply']>>
    const reply = header.err === 0 ? codec.read(rest) : undefined
    return { err: header.err, zxid: header.zxid, reply: reply as never }
  }

  untilClosed(withinMs = 3000): Promise<{ readonly code: number; readonly reason: string }> {
    return until('the connection to be closed', () => this.closed, withinMs)
  }
}

const isEvent = (frame: Uint8Array): boolean => new Reader(frame).int() === xids.watchEvent

afterEach(() => {
  for (const raw of opened.splice(0)) raw.close()
})
