/** One TCP connection to a server, seen as frames: what came, in order, and the end of it. */
import { connect as dial, type Socket } from 'node:net'
import { Deframer } from '../../src/core/wire/deframer.ts'

export class Connection {
  readonly #socket: Socket
  readonly #deframer = new Deframer(16 * 1024 * 1024)
  readonly #frames: Uint8Array[] = []
  #isClosed = false
  #wake: (() => void) | undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => {
      for (const frame of this.#deframer.push(chunk)) this.#frames.push(frame)
      this.#wake?.()
    })
    for (const end of ['error', 'end', 'close']) socket.on(end, () => this.#closed())
  }

  static open(port: number): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = dial(port, '127.0.0.1')
      socket.once('error', reject)
      socket.once('connect', () => resolve(new Connection(socket)))
    })
  }

  send(...frames: readonly Uint8Array[]): void {
    this.#socket.write(Buffer.concat(frames))
  }

  /** The same, in pieces that come one after the other. */
  async sendChopped(bytes: Uint8Array): Promise<void> {
    for (let from = 0, to = 1; from < bytes.length; from = to, to *= 3) {
      this.#socket.write(bytes.subarray(from, to))
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
  }

  /** Ends behind these bytes. */
  leaveWith(bytes: Uint8Array): void {
    this.#socket.end(bytes, () => this.#socket.destroy())
  }

  /** The next frame, without its length; `closed` once there will be none, `silent` if none comes in time. */
  async frame(withinMs: number): Promise<Uint8Array | 'closed' | 'silent'> {
    const deadline = performance.now() + withinMs
    for (;;) {
      const next = this.#frames.shift()
      if (next !== undefined) return next
      if (this.#isClosed) return 'closed'
      const leftMs = deadline - performance.now()
      if (leftMs <= 0) return 'silent'
      await this.#something(leftMs)
    }
  }

  /** Ends without a word. */
  destroy(): void {
    this.#socket.destroy()
  }

  #something(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, withinMs)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  #closed(): void {
    this.#isClosed = true
    this.#wake?.()
  }
}
