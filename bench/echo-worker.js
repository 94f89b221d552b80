// What the runtime gives when nothing is done with the bytes: in the Worker itself, and behind a Durable Object, as our
// sessions are (src/routes/connect.ts).
import { DurableObject } from 'cloudflare:workers'

export class Echo extends DurableObject {
  connect(socket) {
    return echo(socket)
  }
}

export default {
  async connect(socket, env) {
    const { localAddress } = await socket.opened
    if (!localAddress.endsWith(`:${env.ACTOR_PORT}`)) return echo(socket)
    const upstream = env.ECHO.getByName('echo').connect('echo:1')
    const back = upstream.readable.pipeTo(socket.writable)
    const forth = socket.readable.pipeTo(upstream.writable)
    await Promise.allSettled([back])
    await Promise.allSettled([upstream.close(), socket.close(), forth])
  },
}

/**
 * Reads into a buffer of our own: a default reader is given 4 KB at a time, each at the price of a read, and with 32 KB
 * requests does an eighth of this.
 */
async function echo(socket) {
  const reader = socket.readable.getReader({ mode: 'byob' })
  const writer = socket.writable.getWriter()
  let buffer = new ArrayBuffer(64 * 1024)
  for (;;) {
    const { value, done } = await reader.read(new Uint8Array(buffer))
    if (done) return writer.close()
    await writer.write(value)
    buffer = value.buffer
  }
}
