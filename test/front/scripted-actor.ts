/** The Worker as the front meets it, by the test's hand: streams with their prefaces, trunk messages in and out. */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { encode, Writer } from '../../src/core/jute/codec.ts'
import { Deframer } from '../../src/core/wire/deframer.ts'
import {
  downKinds,
  Home,
  type Preface,
  prefaceOf,
  readTrunk,
  type TrunkMessage,
  upKinds,
  writeTrunk,
} from '../../src/core/wire/trunk.ts'
import { until } from '../support/until.ts'

export class ScriptedStream {
  readonly socket: Socket
  preface: Preface | undefined
  readonly messages: TrunkMessage[] = []
  /** Of a stream that is no trunk. */
  text = ''
  #begin: Uint8Array = new Uint8Array(0)
  readonly #deframer = new Deframer(16 * 1024 * 1024)

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk) => this.#receive(chunk))
    socket.on('error', () => undefined)
  }

  say(kind: number, client: number, body: Uint8Array = new Uint8Array(0)): void {
    const writer = new Writer()
    writeTrunk(writer, kind, client, body)
    this.socket.write(writer.take())
  }

  home(member: number, prefix: number): void {
    this.say(downKinds.home, 0, encode(Home, { member, prefix }))
  }

  /** The `nth` message of this kind, as soon as it is here. */
  message(kind: number, nth = 0): Promise<TrunkMessage> {
    return until(`message ${nth} of kind ${kind}`, () => this.of(kind)[nth], { everyMs: 2 })
  }

  of(kind: number): TrunkMessage[] {
    return this.messages.filter((message) => message.kind === kind)
  }

  /** All frames of all clients, one behind the other, as latin1. */
  get saidFrames(): string {
    return this.of(upKinds.frames)
      .map(({ body }) => Buffer.from(body).toString('latin1'))
      .join('')
  }

  #receive(chunk: Uint8Array): void {
    let bytes = chunk
    if (this.preface === undefined) {
      this.#begin = Buffer.concat([this.#begin, chunk])
      const found = prefaceOf(this.#begin)
      if (found === 'more' || found === undefined) return
      this.preface = found.preface
      bytes = found.rest
    }
    if (!this.preface.isTrunk) this.text += Buffer.from(bytes).toString('latin1')
    else this.messages.push(...this.#deframer.push(bytes).map(readTrunk))
  }
}

export class ScriptedActors {
  readonly streams: ScriptedStream[] = []
  readonly #server: Server

  private constructor() {
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      this.streams.push(new ScriptedStream(socket))
    })
  }

  static async listen(): Promise<ScriptedActors> {
    const actors = new ScriptedActors()
    await new Promise<void>((done) => actors.#server.listen(0, '127.0.0.1', done))
    return actors
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** The `nth` stream, once its preface is read. */
  stream(nth = 0): Promise<ScriptedStream> {
    const begun = (): ScriptedStream | undefined =>
      this.streams[nth]?.preface === undefined ? undefined : this.streams[nth]
    return until(`stream ${nth}`, begun, { everyMs: 2 })
  }

  close(): void {
    this.#server.close()
    for (const { socket } of this.streams) socket.destroy()
  }
}
