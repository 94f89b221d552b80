/** Plain TCP for Node: to Apache ZooKeeper, and to the client ports of an ensemble of ours. */
// oxlint-disable-next-line no-restricted-imports -- an entry of its own, for Node only
import { connect as dial } from 'node:net'
import type { Dial } from './transport.ts'

/**
 * Takes `tcp://host:port`; a query, as in `?session=0x…`, is for WebSockets and has no meaning here.
 *
 *     connect('tcp://127.0.0.1:2181', { transport: tcp })
 */
export const tcp: Dial = (url, events) => {
  const { hostname, port } = new URL(url)
  const socket = dial({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port), noDelay: true })
  let over = false
  const end = (reason: string) => {
    if (over) return
    over = true
    socket.destroy()
    events.ended(reason)
  }
  socket.on('connect', () => {
    if (!over) events.opened()
  })
  // A plain view: `slice` of a Node Buffer would not copy.
  socket.on('data', ({ buffer, byteOffset, byteLength }: Buffer) => {
    if (!over) events.receive(new Uint8Array(buffer, byteOffset, byteLength))
  })
  socket.on('error', (error) => end(error.message))
  socket.on('close', () => end('closed'))
  return {
    send(frames) {
      socket.write(frames)
    },
    ping: () => false,
    abort() {
      over = true
      socket.destroy()
    },
  }
}
