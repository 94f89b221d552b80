/** Stock TCP ZooKeeper clients of a deployed Worker: one WebSocket each. */
import { once } from 'node:events'
import { createServer as createPlainServer, type Server, type Socket } from 'node:net'
import { createServer as createSecureServer } from 'node:tls'
import { limits } from '../core/shared/limits.ts'
import { BridgedClient } from './bridged-client.ts'
import type { FarSide } from './far-side.ts'
import type { Journal } from './journal.ts'
import { type ListenAddress, showListenAddress } from './listen-address.ts'

/** PEM texts. With `clientCa`, only clients with a certificate of that authority are let in. */
export interface ClientTls {
  readonly cert: string
  readonly key: string
  readonly clientCa?: string | undefined
}

export class Bridge {
  readonly #farSide: FarSide
  readonly #journal: Journal
  readonly #tls: ClientTls | undefined
  readonly #servers: Server[] = []
  readonly #clients = new Map<Socket, BridgedClient>()

  constructor(farSide: FarSide, journal: Journal, tls?: ClientTls) {
    this.#farSide = farSide
    this.#journal = journal
    this.#tls = tls
  }

  get clientCount(): number {
    return this.#clients.size
  }

  /** Takes clients at this address. Rejects when it cannot be had. */
  async listen(address: ListenAddress): Promise<void> {
    const server = this.#serverFor(address)
    server.listen(address.port, address.host)
    await once(server, 'listening')
    this.#servers.push(server)
    server.on('error', (error) => this.#journal.trouble(error.message))
    const served = address.member === undefined ? '' : `, member ${address.member}`
    const secured = this.#tls === undefined ? '' : ' (TLS)'
    this.#journal.note(
      `listening on ${showListenAddress(address)}${secured} for ${this.#farSide.name}${served}`,
    )
  }

  /** Takes nobody any more; lets everybody go as soon as what they asked is answered. */
  async drain(): Promise<void> {
    for (const server of this.#servers) server.close()
    const gone = [...this.#clients.keys()].map((socket) => once(socket, 'close'))
    for (const client of this.#clients.values()) client.drain()
    await Promise.allSettled(gone)
  }

  #serverFor({ member }: ListenAddress): Server {
    const around = { farSide: this.#farSide, journal: this.#journal, member }
    const take = (socket: Socket): void => {
      this.#clients.set(socket, new BridgedClient(socket, around))
      socket.once('close', () => this.#clients.delete(socket))
    }
    if (this.#tls === undefined) return createPlainServer(take)
    const { cert, key, clientCa } = this.#tls
    const server = createSecureServer(
      {
        cert,
        key,
        ...(clientCa === undefined ? {} : { ca: clientCa, requestCert: true }),
        handshakeTimeout: limits.handshakeMs,
      },
      take,
    )
    server.on('tlsClientError', (error, { remoteAddress }) => {
      this.#journal.detail(`${remoteAddress}: no TLS with it, ${error.message}`)
    })
    return server
  }
}
