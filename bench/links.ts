/** How a session's bytes travel: TCP as stock clients do, or binary messages of a WebSocket. */
import { connect } from 'node:net'
import { WebSocket } from 'ws'

export interface Link {
  write(bytes: Buffer): void
  destroy(): void
}

/** Bytes are the receiver's until it returns; then the next read may overwrite them. */
export interface LinkEvents {
  receive(bytes: Buffer, length: number): void
  closed(): void
}

export type Dial = (events: LinkEvents) => Promise<Link>

/** All sockets read into it, one after the other: no allocation a read. */
const readBuffer = Buffer.allocUnsafeSlow(256 * 1024)

export const dialTcp =
  (port: number): Dial =>
  (events) =>
    new Promise((resolve, reject) => {
      const socket = connect({
        port,
        host: '127.0.0.1',
        noDelay: true,
        onread: {
          buffer: readBuffer,
          callback: (length, bytes) => {
            events.receive(bytes as Buffer, length)
            return true
          },
        },
      })
      socket.once('connect', () =>
        resolve({
          write: (bytes) => void socket.write(bytes),
          destroy: () => void socket.destroy(),
        }),
      )
      socket.once('error', reject)
      socket.once('close', () => events.closed())
    })

export const dialWebSocket =
  (url: string): Dial =>
  (events) =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket(url, { perMessageDeflate: false })
      socket.on('message', (bytes: Buffer) => events.receive(bytes, bytes.length))
      socket.once('open', () =>
        resolve({ write: (bytes) => socket.send(bytes), destroy: () => socket.terminate() }),
      )
      socket.once('error', reject)
      socket.once('close', () => events.closed())
    })
