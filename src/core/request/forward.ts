/** Requests on their way from the member that serves a session to the leader: many in one packet. */
import {
  type Decoded,
  id,
  int,
  long,
  MalformedFrame,
  Reader,
  record,
  vector,
  Writer,
} from '../jute/codec.ts'
import { Id } from '../jute/records.ts'

const Head = record({
  /** The member's own number of the request; comes back with the txn. */
  number: int,
  session: id,
  /** Which attachment of the session asks: requests of an earlier one are refused once the session moved. */
  attachment: long,
  /** What the session has proved, or has by its address. */
  identities: vector(Id),
})

/** A client's request frame with what the leader must know about it. */
export type Forwarded = Decoded<typeof Head> & { readonly frame: Uint8Array }

export class ForwardWriter {
  readonly #writer = new Writer(4096)

  add(request: Forwarded): void {
    Head.write(this.#writer, request)
    this.#writer.buffer(request.frame)
  }

  get byteLength(): number {
    return this.#writer.at
  }

  take(): Uint8Array {
    const bytes = this.#writer.take()
    this.#writer.reset()
    return bytes
  }
}

/** Throws MalformedFrame. */
export function readForwarded(bytes: Uint8Array): Forwarded[] {
  const reader = new Reader(bytes)
  const requests: Forwarded[] = []
  while (reader.left > 0) {
    const head = Head.read(reader)
    const frame = reader.buffer()
    if (frame === null) throw new MalformedFrame('a forwarded frame is null')
    requests.push({ ...head, frame })
  }
  return requests
}
