/** What an operation rejects with. */
import type { Refusal } from '../core/wire/refusals.ts'

/**
 * ZooKeeper's own names, and two of the client's: `SessionClosed` for what is asked of, or waits in, a client that was
 * closed, and `Unknown` for an error number that ZooKeeper does not have.
 */
export type ErrorCode = Refusal | 'SessionClosed' | 'Unknown'

/**
 * An operation failed.
 *
 * `ConnectionLoss`: the link died while the operation was under way. Whether it took effect is not known.
 * `RequestTimeout`: not answered within `requestTimeoutMs`; not known either, unless it was never sent.
 * `SessionExpired`, `SessionClosed`: the session is over; nothing this client is asked will be answered.
 * `AuthFailed`: an `addAuth` was refused, and the session is over likewise.
 * Every other code is the server's word: the operation changed nothing.
 */
export class ZooKeeperError extends Error {
  override name = 'ZooKeeperError'
  readonly code: ErrorCode
  /** `create`, `getData`, …: the operation's name in the protocol. */
  readonly operation: string
  /** The path it was asked for; undefined for operations without one. */
  readonly path: string | undefined

  constructor(code: ErrorCode, operation: string, path: string | undefined, detail = '') {
    const subject = path === undefined ? operation : `${operation} ${path}`
    super(detail === '' ? `${code}: ${subject}` : `${code}: ${subject}: ${detail}`)
    this.code = code
    this.operation = operation
    this.path = path
  }
}

/** One step of a multi was refused, so none took effect. `code`, `operation` and `path` are the failing step's. */
export class MultiError extends ZooKeeperError {
  override name = 'MultiError'
  /** Which step failed, from 0. */
  readonly index: number

  constructor(index: number, code: ErrorCode, operation: string, path: string | undefined) {
    super(code, operation, path, `step ${index} of a multi`)
    this.index = index
  }
}
