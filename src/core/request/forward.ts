/** Requests on their way from the member that serves a session to the leader: many in one packet. */
import {
  bool,
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
  /** No txn made the session; it may write all the same, but own nothing. */
  isLocal: bool,
})
/** What the session has proved, or has by its address; −1 for those of the request before. */
const Identities = vector(Id)
const asBefore = -1

/** The attachment of a request that is the session actor's own. */
export const byItsJudge = 0

/** A client's request frame with what the leader must know about it. */
export type Forwarded = Decoded<typeof Head> & {
  readonly identities: Decoded<typeof Identities>
  readonly frame: Uint8Array
}

export class ForwardWriter {
  readonly #writer = new Writer(4096)
  #before: Forwarded['identities'] | undefined

  /** Who asks much in a row proves all of it at once: 16 KB a request would make gigabytes of a few MB. */
  add(request: Forwarded): void {
    Head.write(this.#writer, request)
    if (request.identities === this.#before) this.#writer.int(asBefore)
    else Identities.write(this.#writer, request.identities)
    this.#before = request.identities
    this.#writer.buffer(request.frame)
  }

  get byteLength(): number {
    return this.#writer.at
  }

  take(): Uint8Array {
    const bytes = this.#writer.take()
    this.#writer.reset()
    this.#before = undefined
    return bytes
  }
}

/** Throws MalformedFrame. */
export function readForwarded(bytes: Uint8Array): Forwarded[] {
  const reader = new Reader(bytes)
  const requests: Forwarded[] = []
  while (reader.left > 0) {
    const head = Head.read(reader)
    const identities = readIdentities(reader, requests.at(-1)?.identities)
    const frame = reader.buffer()
    if (frame === null) throw new MalformedFrame('a forwarded frame is null')
    requests.push({ ...head, identities, frame })
  }
  return requests
}

function readIdentities(
  reader: Reader,
  before: Forwarded['identities'] | undefined,
): Forwarded['identities'] {
  const at = reader.at
  if (reader.int() !== asBefore) {
    reader.at = at
    return Identities.read(reader)
  }
  if (before === undefined) throw new MalformedFrame('no request stands before the first')
  return before
}
