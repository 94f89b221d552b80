/** A TCP stream as a session actor sees it, and the preamble with which the Worker hands it over. */
import { bool, type Decoded, decode, encode, int, record, ustring } from '../core/jute/codec.ts'
import { limits } from '../core/shared/limits.ts'

/** What the Worker knows and the bytes do not say. */
export const Preamble = record({ member: int, address: ustring, isTrunk: bool })
export type Preamble = Decoded<typeof Preamble>

/** A length byte, then the record. Only the Worker can connect to an actor, so it is believed. */
export function writePreamble(preamble: Preamble): Uint8Array {
  const record = encode(Preamble, preamble)
  const bytes = new Uint8Array(1 + record.length)
  bytes[0] = record.length
  bytes.set(record, 1)
  return bytes
}

/** Undefined if the stream ended before. What follows the preamble stays in the stream. */
export async function readPreamble(tcp: TcpConnection): Promise<Preamble | undefined> {
  let bytes = await tcp.read()
  while (bytes !== undefined && bytes.length < 1 + (bytes[0] ?? 0)) {
    const begun: Uint8Array = bytes.slice()
    const more: Uint8Array | undefined = await tcp.read()
    bytes = more === undefined ? undefined : concat(begun, more)
  }
  if (bytes === undefined) return undefined
  const end = 1 + (bytes[0] as number)
  tcp.unread(bytes.subarray(end))
  return decode(Preamble, bytes.subarray(1, end))
}

export class TcpConnection {
  readonly #socket: Socket
  readonly #reader: ReadableStreamBYOBReader
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>
  /** Where the next bytes go. */
  #room = new Uint8Array(limits.readBytesMin)
  #unread: Uint8Array | undefined
  /** Bytes of the last reads that were as long as a read may be. */
  #inARow = 0
  #written: Promise<void> = Promise.resolve()
  #unwritten = 0
  #isClosed = false

  constructor(socket: Socket) {
    this.#socket = socket
    this.#reader = (socket.readable as ReadableStream<Uint8Array>).getReader({ mode: 'byob' })
    this.#writer = (socket.writable as WritableStream<Uint8Array>).getWriter()
  }

  /** This side has closed it. */
  get isOver(): boolean {
    return this.#isClosed
  }

  /** The next bytes, there until the next call; undefined at the end of the stream. */
  async read(): Promise<Uint8Array | undefined> {
    const unread = this.#unread
    this.#unread = undefined
    if (unread !== undefined) return unread
    if (this.#inARow >= limits.readBytesInARow) {
      this.#inARow = 0
      await othersTurn()
    }
    const { value, done } = await this.#reader.read(this.#room)
    if (done) return undefined
    this.#inARow = value.length === limits.readBytesMax ? this.#inARow + value.length : 0
    this.#room = roomAfter(value)
    return value
  }

  unread(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#unread = bytes
  }

  /** Writes in order, without waiting. */
  write(bytes: Uint8Array): void {
    if (this.#isClosed) return
    const { length } = bytes
    this.#unwritten += length
    this.#written = this.#writer.write(bytes).then(
      () => void (this.#unwritten -= length),
      () => this.close(),
    )
  }

  /** The client takes its replies slower than it asks. */
  get isFull(): boolean {
    return this.#unwritten > limits.unwrittenBytesMax
  }

  /** Resolves when the client has taken what was written so far, or is gone. */
  untilWritten(): Promise<void> {
    return this.#written
  }

  /** Closes after what was written has left. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    void this.#closeBehindWrites()
  }

  async #closeBehindWrites(): Promise<void> {
    // Either side may be closed already; there is nobody left to tell.
    await this.#writer.close().catch(() => undefined)
    await this.#reader.cancel().catch(() => undefined)
    await this.#socket.close().catch(() => undefined)
  }
}

/**
 * The runtime looks which streams have something to read when it has nothing else to do: one that always has would be read
 * alone, for seconds (measured). A timer comes after such a look.
 */
const othersTurn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0))

/** One read goes where the last one went. Who sends much at a time gets more room, and a client at rest little. */
function roomAfter({ buffer, length }: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const { readBytesMin, readBytesMax } = limits
  const room = buffer.byteLength
  if (length === room && room < readBytesMax) return new Uint8Array(readBytesMax)
  if (length < readBytesMin && room > readBytesMin) return new Uint8Array(readBytesMin)
  return new Uint8Array(buffer)
}

function concat(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(first.length + second.length)
  bytes.set(first)
  bytes.set(second, first.length)
  return bytes
}
