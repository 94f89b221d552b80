/** The clients of one member: who they are is in their first bytes, and that says which trunk they go by. */
import type { Socket } from 'node:net'
import { MalformedFrame } from '../core/jute/codec.ts'
import { limits } from '../core/shared/limits.ts'
import { type Opening, openingOf } from '../core/wire/opening.ts'
import type { Runtime } from './runtime.ts'
import { addressOf, TcpClient } from './tcp-client.ts'
import { Trunks } from './trunks.ts'

export class Clients {
  readonly #member: number
  readonly #runtime: Runtime
  readonly #trunks: Trunks

  constructor(member: number, runtime: Runtime) {
    this.#member = member
    this.#runtime = runtime
    this.#trunks = new Trunks(member, runtime)
  }

  take(socket: Socket): void {
    let begin: Buffer = Buffer.alloc(0)
    const deadline = setTimeout(() => socket.destroy(), limits.handshakeMs)
    const ended = (): void => void socket.destroy()
    // A client that is known keeps nothing of how it came to be.
    const settle = (): void => {
      clearTimeout(deadline)
      socket.off('data', read)
      socket.off('end', ended)
      socket.off('close', settle)
    }
    const read = (chunk: Buffer): void => {
      begin = begin.length === 0 ? chunk : Buffer.concat([begin, chunk])
      const opening = openingOrNothing(begin)
      if (opening === 'more') return
      settle()
      if (opening === undefined) socket.destroy()
      else this.#opened(socket, opening, begin)
    }
    socket.on('data', read)
    socket.on('end', ended)
    socket.on('close', settle)
    socket.on('error', ignored)
  }

  #opened(socket: Socket, opening: Opening, begin: Buffer): void {
    if (opening.type === 'word') return this.#passOn(socket, begin)
    const client = new TcpClient(socket, opening.request.sessionId, this.#runtime.frameBytesMax)
    this.#trunks.take(client)
    client.read(begin)
  }

  /** A four-letter word: the Worker answers it on a stream of its own. Who asks may have closed his side behind it. */
  #passOn(socket: Socket, begin: Buffer): void {
    const stream = this.#runtime.open({
      member: this.#member,
      isTrunk: false,
      address: addressOf(socket),
      session: 0n,
    })
    stream.on('error', () => socket.destroy())
    socket.once('close', () => stream.destroy())
    stream.write(begin)
    socket.pipe(stream).pipe(socket)
  }
}

/** Of a socket's error its close says all. */
const ignored = (): void => undefined

/** Undefined for bytes that no client may begin with. */
function openingOrNothing(bytes: Uint8Array): Opening | 'more' | undefined {
  try {
    return openingOf(bytes)
  } catch (fault) {
    if (fault instanceof MalformedFrame) return undefined
    throw fault
  }
}
