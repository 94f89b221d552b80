/** A session: over one connection after the other, until a server or the application says that it is over. */
import type { ConnectResponse } from '../core/jute/records.ts'
import { asSessionId, showSessionId } from '../core/shared/units.ts'
import { xids } from '../core/wire/opcodes.ts'
import { Backoff } from './backoff.ts'
import { Connection } from './connection.ts'
import { type ErrorCode, ZooKeeperError } from './errors.ts'
import { Liveness } from './liveness.ts'
import type { Settings, SessionTicket } from './options.ts'
import { type Pending, type Question, Request } from './request.ts'
import { isFinal, SessionState } from './session-state.ts'
import { Watches, type WatchKind, type WatchListener } from './watch.ts'

export class Session {
  readonly state = new SessionState()
  readonly #settings: Settings
  readonly #watches = new Watches()
  readonly #backoff: Backoff
  #ticket: SessionTicket | undefined
  #connection: Connection | undefined
  #liveness: Liveness | undefined
  /** Either the end of our patience with a server, or the pause before the next one. */
  #timer: ReturnType<typeof setTimeout> | undefined
  #waiting: Pending[] = []
  #closing: Promise<void> | undefined
  #nextUrl: number
  #xid = 0
  /** Of the last reply: every change up to it that we watch has been told. */
  #repliedZxid = 0
  /** Of the last reply or event: a server that has not come so far would take us back in time. */
  #seenZxid = 0

  constructor(settings: Settings) {
    this.#settings = settings
    this.#ticket = settings.session
    this.#backoff = new Backoff(settings.retryDelayMs)
    this.#nextUrl = Math.floor(Math.random() * settings.urls.length)
    this.#open()
  }

  get ticket(): SessionTicket | undefined {
    return this.#ticket
  }

  /** Sends a question behind all asked before, now or once connected. The promise rejects with ZooKeeperError. */
  ask<T>(question: Question<T>): Promise<T> {
    if (this.#closing || isFinal(this.state.now)) {
      const code = this.state.now === 'expired' ? 'SessionExpired' : 'SessionClosed'
      return Promise.reject(new ZooKeeperError(code, question.operation, question.path))
    }
    const xid = question.operation === 'ping' ? xids.ping : this.#nextXid()
    const request = new Request(xid, question)
    const { frameBytesMax, requestTimeoutMs } = this.#settings
    const bytes = request.frame.length - 4
    if (bytes > frameBytesMax) {
      request.fail('BadArguments', `${bytes} bytes, a request may have ${frameBytesMax}`)
      return request.promise
    }
    if (requestTimeoutMs !== undefined) giveUpAfter(requestTimeoutMs, request)
    if (this.state.now === 'connected') this.#send(request)
    else this.#waiting.push(request)
    return request.promise
  }

  arm(kind: WatchKind, path: string, listener: WatchListener): void {
    this.#watches.arm(kind, path, listener)
  }

  /** Ends the session at the server, behind everything asked before; without a link, here only. */
  close(): Promise<void> {
    if (this.#closing) return this.#closing
    if (this.state.now !== 'connected') {
      this.leave()
      return Promise.resolve()
    }
    const over = this.ask({ operation: 'closeSession', write: () => {}, grant: () => {} })
    // Without the reply the session dies of silence instead: over for us all the same.
    this.#closing = over.catch(() => {}).then(() => this.leave())
    return this.#closing
  }

  /** Lets go of the session without ending it. */
  leave(): void {
    if (!isFinal(this.state.now)) this.#end('closed', 'SessionClosed')
  }

  #nextXid(): number {
    this.#xid = this.#xid === 0x7fff_ffff ? 1 : this.#xid + 1
    return this.#xid
  }

  #send(request: Pending): void {
    this.#liveness?.sent()
    this.#connection?.send(request)
  }

  #open(): void {
    const { urls, transport, timeoutMs, connectTimeoutMs } = this.#settings
    const url = urls[this.#nextUrl++ % urls.length] as string
    const hello = {
      protocolVersion: 0,
      lastZxidSeen: this.#seenZxid,
      timeOut: timeoutMs,
      sessionId: this.#ticket?.id ?? 0n,
      passwd: this.#ticket?.password ?? new Uint8Array(16),
      readOnly: false,
    }
    const connection = new Connection(transport, this.#address(url), hello, {
      established: (response) => this.#establish(response),
      heard: () => this.#liveness?.heard(),
      seen: (zxid) => {
        this.#repliedZxid = zxid
        this.#seenZxid = Math.max(this.#seenZxid, zxid)
      },
      watchEvent: (type, path, zxid) => {
        this.#seenZxid = Math.max(this.#seenZxid, zxid)
        this.#watches.receive(type, path)
      },
      ended: () => this.#reopen(),
    })
    this.#connection = connection
    this.#timer = setTimeout(() => connection.abort('no answer'), connectTimeoutMs)
  }

  /** A session's id says which actor has it: the edge reads it from the address. */
  #address(url: string): string {
    const address = new URL(url)
    const { member } = this.#settings
    if (member !== undefined) address.searchParams.set('member', `${member}`)
    const id = this.#ticket?.id
    if (id !== undefined) address.searchParams.set('session', showSessionId(asSessionId(id)))
    return address.href
  }

  #establish({ timeOut, sessionId, passwd }: ConnectResponse): void {
    clearTimeout(this.#timer)
    if (timeOut <= 0) return this.#end('expired', 'SessionExpired')
    this.#ticket = {
      id: sessionId,
      password: new Uint8Array(passwd ?? []),
      timeoutMs: timeOut,
    }
    this.#backoff.reset()
    this.#liveness = new Liveness(
      timeOut,
      () => this.#ping(),
      () => this.#connection?.abort(`nothing heard for ${Math.round((timeOut * 2) / 3)} ms`),
    )
    for (const batch of this.#watches.setWatches(this.#repliedZxid))
      this.#connection?.setWatches(batch)
    this.state.become('connected')
    const waiting = this.#waiting
    this.#waiting = []
    for (const request of waiting) if (!request.settled) this.#send(request)
  }

  #ping(): void {
    if (this.#connection?.ping()) return
    // Its failure is the link's, which is told elsewhere.
    this.ask({ operation: 'ping', write: () => {}, grant: () => {} }).catch(() => {})
  }

  #reopen(): void {
    clearTimeout(this.#timer)
    this.#liveness?.stop()
    this.#liveness = undefined
    this.#connection = undefined
    if (isFinal(this.state.now)) return
    if (this.#closing) return this.leave()
    if (this.state.now === 'connected') this.state.become('suspended')
    this.#timer = setTimeout(() => this.#open(), this.#backoff.next())
  }

  #end(state: 'expired' | 'closed', code: ErrorCode): void {
    this.state.become(state)
    clearTimeout(this.#timer)
    this.#connection?.abort(state)
    for (const request of this.#waiting) request.fail(code)
    this.#waiting = []
    this.#watches.end()
  }
}

function giveUpAfter<T>(ms: number, request: Request<T>): void {
  const timer = setTimeout(() => request.fail('RequestTimeout', `no answer for ${ms} ms`), ms)
  const stop = () => clearTimeout(timer)
  request.promise.then(stop, stop)
}
