/** A far side that does what a test says: it takes WebSockets, keeps what it is sent, and answers nothing by itself. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import { framesIn } from '../../src/bridge/frames-in.ts'
import { until } from '../support/until.ts'

export class ScriptedFarSide {
  /** Of the upgrades, in order. */
  readonly requests: IncomingMessage[] = []
  readonly sockets: WebSocket[] = []
  /** Of all sockets, in order: frames without their lengths, one list a message; text as text. */
  readonly messages: (Uint8Array[] | string)[] = []
  /** What an upgrade is answered instead: a status and a body. */
  refusal: { readonly status: number; readonly body: string } | undefined
  /** What a word is answered. */
  words: Readonly<Record<string, string>> = {}
  /** Of the words asked: path and query. */
  readonly asked: string[] = []
  /** When set, an upgrade waits for it. */
  delay: Promise<void> = Promise.resolve()
  answersPings = true
  readonly #server: Server

  private constructor() {
    const upgrades = new WebSocketServer({ noServer: true, maxPayload: 64 * 1024 * 1024 })
    this.#server = createServer((request, response) => {
      this.asked.push(request.url ?? '')
      const word = /^\/words\/(\w+)/.exec(request.url ?? '')?.[1] ?? ''
      const text = this.words[word]
      response.writeHead(text === undefined ? 404 : 200).end(text ?? '{"error":"no such word"}')
    })
    const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
      this.requests.push(request)
      if (this.refusal === undefined) {
        upgrades.handleUpgrade(request, socket, head, (webSocket) => this.#take(webSocket))
        return
      }
      const { status, body } = this.refusal
      socket.end(`HTTP/1.1 ${status} No\r\ncontent-length: ${body.length}\r\n\r\n${body}`)
    }
    this.#server.on('upgrade', (request, socket, head) => {
      void this.delay.then(() => upgrade(request, socket, head))
    })
  }

  static async start(): Promise<ScriptedFarSide> {
    const far = new ScriptedFarSide()
    far.#server.listen(0, '127.0.0.1')
    await once(far.#server, 'listening')
    return far
  }

  get url(): URL {
    return new URL(`ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}/session`)
  }

  /** The first socket, once it is there. */
  socket(): Promise<WebSocket> {
    return until('a WebSocket', () => this.sockets[0])
  }

  /** Every frame so far. */
  get frames(): Uint8Array[] {
    return this.messages.flatMap((message) => (typeof message === 'string' ? [] : message))
  }

  get pings(): number {
    return this.messages.filter((message) => message === 'ping').length
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.terminate()
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #take(socket: WebSocket): void {
    this.sockets.push(socket)
    socket.on('message', (message: Buffer, isBinary: boolean) => {
      if (!isBinary) {
        this.messages.push(message.toString())
        if (message.toString() === 'ping' && this.answersPings) socket.send('pong')
        return
      }
      const frames = Array.from(framesIn(message), ({ from, to }) => message.subarray(from + 4, to))
      this.messages.push(frames)
    })
  }
}
