/** The way to the Worker: the port of the runtime's that only we know how to begin with. */
import { connect, type OnReadOpts, type Socket } from 'node:net'
import { type Preface, writePreface } from '../core/wire/trunk.ts'

export interface RuntimeAddress {
  readonly host: string
  readonly port: number
  readonly secret: string
  /** Of one frame, as the Worker has it. */
  readonly frameBytesMax: number
}

export class Runtime {
  readonly #address: RuntimeAddress

  constructor(address: RuntimeAddress) {
    this.#address = address
  }

  get frameBytesMax(): number {
    return this.#address.frameBytesMax
  }

  /** A stream that begins with this preface. What is written before it stands waits. `onread`: instead of `data` events. */
  open(preface: Omit<Preface, 'secret'>, onread?: OnReadOpts): Socket {
    const { host, port, secret } = this.#address
    const socket = connect({ host, port, noDelay: true, ...(onread && { onread }) })
    socket.write(writePreface({ ...preface, secret }))
    return socket
  }
}
