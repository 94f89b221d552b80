/**
 * What this member asked of the leader and has no answer to: each question has a number, which comes back with the
 * answer and tells who waits for it.
 */
import { encode, Writer } from '../../jute/codec.ts'
import { CreateSessionTxn } from '../../jute/records.ts'
import { byItsJudge, type Forwarded } from '../../request/forward.ts'
import { invariant } from '../../shared/assert.ts'
import { TransitMap } from '../../shared/transit-map.ts'
import type { SessionId } from '../../shared/units.ts'
import type { Identity } from '../../tree/acl.ts'
import { opcodes } from '../../wire/opcodes.ts'
import type { Attachment, Edge, Queued } from './attachment.ts'
import type { UpMessage } from '../edge-messages.ts'

/** The way to the leader, whoever it is. Numbers come back with the answers. */
export interface Upstream {
  forward(request: Forwarded): void
  sync(number: number): void
  revalidate(number: number, session: SessionId, attachment: number): void
}

export type ListQuestion = UpMessage & { readonly type: 'list' }

/** Who waits for the answer of a number. */
export type Waiting =
  | { readonly type: 'request'; readonly attachment: Attachment; readonly queued: Queued }
  | { readonly type: 'open' | 'upgrade' | 'resume'; readonly attachment: Attachment }
  | { readonly type: 'expire'; readonly edge: Edge; readonly session: SessionId }
  | { readonly type: 'list'; readonly edge: Edge; readonly asked: ListQuestion }

export class Outstanding {
  readonly #upstream: Upstream
  readonly #waiting = new TransitMap<number, Waiting>()
  /** Numbers of requests go on from a place of chance: those of an earlier life must not be taken for ours. */
  #lastNumber: number

  constructor(upstream: Upstream, firstNumber: number) {
    this.#upstream = upstream
    this.#lastNumber = firstNumber
  }

  get count(): number {
    return this.#waiting.size
  }

  waiting(number: number): Waiting | undefined {
    return this.#waiting.get(number)
  }

  /** The answer is here: it is owed no longer. */
  settle(number: number, waiting: Waiting): void {
    this.#waiting.delete(number)
    edgeOf(waiting).owed -= 1
  }

  clear(): void {
    this.#waiting.clear()
  }

  /** Never 0, which means nobody's: not asked, or asked by the session's judge. */
  nextNumber(): number {
    this.#lastNumber = (this.#lastNumber % 0x7fff_ffff) + 1
    return this.#lastNumber
  }

  /** Asks for a client's write. */
  write(attachment: Attachment, queued: Queued): void {
    const { frame, identities } = queued
    this.#forward({ type: 'request', attachment, queued }, attachment, frame, identities)
  }

  /** Asks how far the leader is, for a client or for an actor's list. */
  sync(waiting: Waiting & { readonly type: 'request' | 'list' }): void {
    this.#upstream.sync(this.#await(waiting))
  }

  createSession(type: 'open' | 'upgrade', attachment: Attachment): void {
    const asked = encode(CreateSessionTxn, { timeOut: attachment.timeoutMs })
    const frame = requestFrame(opcodes.createSession.code, asked)
    this.#forward({ type, attachment }, attachment, frame, attachment.identities)
  }

  closeSession(edge: Edge, session: SessionId): void {
    const number = this.#await({ type: 'expire', edge, session })
    const frame = requestFrame(opcodes.closeSession.code, nothing)
    this.#upstream.forward({
      number,
      session,
      attachment: byItsJudge,
      identities: nobody,
      isLocal: false,
      frame,
    })
  }

  /** Asks whether a session lives that another member served. */
  revalidate(attachment: Attachment): void {
    const number = this.#await({ type: 'resume', attachment })
    this.#upstream.revalidate(number, attachment.session, attachment.number)
  }

  #forward(
    waiting: Waiting,
    attachment: Attachment,
    frame: Uint8Array,
    identities: readonly Identity[],
  ): void {
    const number = this.#await(waiting)
    const { session, isLocal } = attachment
    const asked = { number, session, attachment: attachment.number, identities, isLocal, frame }
    this.#upstream.forward(asked)
  }

  #await(waiting: Waiting): number {
    const number = this.nextNumber()
    invariant(!this.#waiting.has(number), 'a request number is used once at a time')
    this.#waiting.set(number, waiting)
    if (waiting.type === 'request') waiting.queued.number = number
    edgeOf(waiting).owed += 1
    return number
  }
}

const edgeOf = (waiting: Waiting): Edge =>
  'edge' in waiting ? waiting.edge : waiting.attachment.edge

const nobody: readonly never[] = []
const nothing = new Uint8Array(0)

/** A request frame of the member's own making. */
function requestFrame(code: number, body: Uint8Array): Uint8Array {
  const writer = new Writer(16)
  writer.int(0)
  writer.int(code)
  writer.raw(body)
  return writer.take()
}
