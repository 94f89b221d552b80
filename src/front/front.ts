/**
 * What stands before the runtime on a machine of one's own: it has the sockets of TCP clients and carries what they say to the
 * actors that hold their sessions, many clients on one stream. The runtime has one thread and pays 140 KB and two files
 * for a socket; here a socket costs neither, and bytes are read and written on another core.
 */
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { Clients } from './clients.ts'
import type { Runtime } from './runtime.ts'

/** Where the clients of a member come to. */
export interface FrontPort {
  readonly member: number
  readonly port: number
}

export class Front {
  readonly #servers: Server[] = []
  readonly #sockets = new Set<Socket>()

  /** Takes clients at every port. Rejects when one of them cannot be had. */
  async listen(address: string, ports: readonly FrontPort[], runtime: Runtime): Promise<void> {
    for (const { member, port } of ports) {
      const clients = new Clients(member, runtime)
      const server = createServer(
        { noDelay: true, keepAlive: true, allowHalfOpen: true },
        (socket) => {
          this.#sockets.add(socket)
          socket.once('close', () => this.#sockets.delete(socket))
          clients.take(socket)
        },
      )
      server.listen({ port, host: address, backlog: 4096 })
      await once(server, 'listening')
      // One client that cannot be taken, for want of files, must not end the others.
      server.on('error', (error) => console.error(`front, member ${member}: ${error.message}`))
      this.#servers.push(server)
    }
  }

  close(): void {
    for (const server of this.#servers) server.close()
    for (const socket of this.#sockets) socket.destroy()
  }
}
