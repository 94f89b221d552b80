/** One operation on its way: its frame, and what becomes of its reply. */
import type { Reader, Writer } from '../core/jute/codec.ts'
import { type Operation, opcodes } from '../core/wire/opcodes.ts'
import { frameOf } from '../core/wire/packets.ts'
import { refusalOf } from '../core/wire/refusals.ts'
import { type ErrorCode, ZooKeeperError } from './errors.ts'

/** What is asked, before it has an xid. */
export interface Question<T> {
  readonly operation: Operation
  readonly path?: string
  /** Writes the body that follows the request's header. */
  write(into: Writer): void
  /** The answer in the body of a granted reply. May throw ZooKeeperError. */
  grant(body: Reader): T
  /** The answer in a refusal, where it is one; else throws the error it is given. */
  refuse?(error: ZooKeeperError): T
}

/** A request as its link sees it: what it answers is nobody's business there. */
export type Pending = Pick<Request<unknown>, 'xid' | 'frame' | 'settled' | 'answer' | 'fail'>

/**
 * The promise is settled where the reply is read, not in a callback behind it: whoever awaits it goes on in the very next
 * microtask, so that replies and watch events reach the application in the order of their frames.
 */
export class Request<T> {
  readonly xid: number
  readonly frame: Uint8Array
  readonly promise: Promise<T>
  readonly #question: Question<T>
  readonly #resolve: (value: T) => void
  readonly #reject: (error: unknown) => void
  #settled = false

  constructor(xid: number, question: Question<T>) {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    this.xid = xid
    this.promise = promise
    this.#question = question
    this.#resolve = resolve
    this.#reject = reject
    this.frame = frameOf((into) => {
      into.int(xid)
      into.int(opcodes[question.operation].code)
      question.write(into)
    })
  }

  /** Answered, failed or given up: nothing that comes now changes its outcome. */
  get settled(): boolean {
    return this.#settled
  }

  /** Throws MalformedFrame, and then is still to be failed. */
  answer(err: number, body: Reader): void {
    if (this.#settled) return
    try {
      this.#resolve(err === 0 ? this.#question.grant(body) : this.#refuse(err))
    } catch (error) {
      if (!(error instanceof ZooKeeperError)) throw error
      this.#reject(error)
    }
    this.#settled = true
  }

  fail(code: ErrorCode, detail = ''): void {
    if (this.#settled) return
    this.#settled = true
    this.#reject(new ZooKeeperError(code, this.#question.operation, this.#question.path, detail))
  }

  #refuse(err: number): T {
    const { operation, path } = this.#question
    const name = refusalOf(err)
    const detail = name === undefined ? `error ${err}` : ''
    const error = new ZooKeeperError(name ?? 'Unknown', operation, path, detail)
    if (this.#question.refuse === undefined) throw error
    return this.#question.refuse(error)
  }
}
