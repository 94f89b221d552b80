/** A TCP client that sends whatever bytes it is told to. */
import { connect as dial, type Socket } from 'node:net'
import { encode } from '../../src/core/jute/codec.ts'
import { ConnectRequest } from '../../src/core/jute/records.ts'
import { Deframer } from '../../src/core/wire/deframer.ts'

export class RawClient {
  readonly #socket: Socket
  readonly #deframer = new Deframer(8 * 1024 * 1024)
  readonly #frames: Uint8Array[] = []
  #isClosed = false
  #wake: (() => void) | undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true) // what is sent in pieces leaves in pieces
    socket.on('data', ({ buffer, byteOffset, length }: Buffer) => {
      this.#frames.push(...this.#deframer.push(new Uint8Array(buffer, byteOffset, length)))
      this.#wake?.()
    })
    socket.on('error', () => this.#closed())
    socket.on('close', () => this.#closed())
    socket.on('end', () => {
      this.#closed()
      socket.end()
    })
  }

  static dial(port: number, host = '127.0.0.1'): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket = dial({ port, host, allowHalfOpen: true })
      socket.once('error', reject)
      socket.once('connect', () => resolve(new RawClient(socket)))
    })
  }

  /** With a session of its own. */
  static async open(port: number, timeoutMs = 10_000): Promise<RawClient> {
    const client = await RawClient.dial(port)
    client.send(connectRequest(timeoutMs))
    const response = await client.frame()
    if (response === undefined) throw new Error('no ConnectResponse')
    return client
  }

  send(bytes: Uint8Array): void {
    this.#socket.write(bytes)
  }

  /** Every byte has been handed to the kernel. */
  sent(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.write(bytes, (error) => (error ? reject(error) : resolve()))
    })
  }

  /** The next frame, without its length; undefined once the connection is closed. */
  async frame(): Promise<Uint8Array | undefined> {
    for (;;) {
      const next = this.#frames.shift()
      if (next !== undefined || this.#isClosed) return next
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  /** Says this and closes its side. */
  end(bytes: Uint8Array): void {
    this.#socket.end(bytes)
  }

  stopReading(): void {
    this.#socket.pause()
  }

  readOn(): void {
    this.#socket.resume()
  }

  /** Ends without a word. */
  destroy(): void {
    this.#socket.destroy()
  }

  #closed(): void {
    this.#isClosed = true
    this.#wake?.()
  }
}

/** A frame with its length. */
export function framed(body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + body.length)
  new DataView(bytes.buffer).setInt32(0, body.length)
  bytes.set(body, 4)
  return bytes
}

export const connectRequest = (
  timeoutMs: number,
  sessionId = 0n,
  passwd: Uint8Array = new Uint8Array(16),
): Uint8Array =>
  framed(
    encode(ConnectRequest, {
      protocolVersion: 0,
      lastZxidSeen: 0,
      timeOut: timeoutMs,
      sessionId,
      passwd,
      readOnly: false,
    }),
  )

/** Header and body of a request, framed. */
export function request(xid: number, type: number, body: Uint8Array): Uint8Array {
  const frame = new Uint8Array(8 + body.length)
  const view = new DataView(frame.buffer)
  view.setInt32(0, xid)
  view.setInt32(4, type)
  frame.set(body, 8)
  return framed(frame)
}
