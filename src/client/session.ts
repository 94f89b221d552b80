/** A session: over one connection after the other, until a server or the application says that it is over. */
import type { Acl, ConnectResponse } from '../core/jute/records.ts'
import { asSessionId, showSessionId } from '../core/shared/units.ts'
import { type Operation, xids } from '../core/wire/opcodes.ts'
import { Backoff } from './backoff.ts'
import { Connection } from './connection.ts'
import { type ErrorCode, ZooKeeperError } from './errors.ts'
import { Liveness } from './liveness.ts'
import type { Chroot } from './chroot.ts'
import type { Settings, SessionTicket } from './options.ts'
import { type Pending, type Question, Request } from './request.ts'
import { type FinalState, isFinal, SessionState } from './session-state.ts'
import { Watches } from './watch.ts'

export class Session {
  readonly state = new SessionState()
  readonly #settings: Settings
  readonly watches = new Watches()
  readonly #backoff: Backoff
  /** As long as ZooKeeper's own client may wait to look for a server that also writes. */
  readonly #seekPause = new Backoff({ first: 100, max: 60_000 })
  #ticket: SessionTicket | undefined
  #connection: Connection | undefined
  /** Beside a server that only answers reads: the link that seeks a better one. */
  #seeker: Connection | undefined
  #liveness: Liveness | undefined
  /** Either the end of our patience with a server, or the pause before the next one is dialled. */
  #timer: ReturnType<typeof setTimeout> | undefined
  #waiting: Pending[] = []
  /** Who we are, said again on every link, settled or not. */
  #proofs: Pending[] = []
  #isReadOnly = false
  /** Has a server with a quorum known this session? What a cut-off server began, no other one knows. */
  #isKnown: boolean
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
    this.#isKnown = settings.session !== undefined
    this.#backoff = new Backoff(settings.retryDelayMs)
    this.#nextUrl = Math.floor(Math.random() * settings.urls.length)
    this.#open()
  }

  get ticket(): SessionTicket | undefined {
    return this.#ticket
  }

  get chroot(): Chroot {
    return this.#settings.chroot
  }

  /** Of nodes that are created without one. */
  get acl(): readonly Acl[] {
    return this.#settings.acl
  }

  get isReadOnly(): boolean {
    return this.#isReadOnly && this.state.now === 'connected'
  }

  /** Sends a question behind all asked before, now or once connected. The promise rejects with ZooKeeperError. */
  ask<T>(question: Question<T>): Promise<T> {
    if (this.#closing || isFinal(this.state.now)) {
      const code = isFinal(this.state.now) ? endedAs[this.state.now] : 'SessionClosed'
      return Promise.reject(new ZooKeeperError(code, question.operation, question.path))
    }
    const request = new Request(this.#xidFor(question.operation), question)
    const { frameBytesMax, requestTimeoutMs } = this.#settings
    const bytes = request.frame.length - 4
    if (bytes > frameBytesMax) {
      request.fail('BadArguments', `${bytes} bytes, a request may have ${frameBytesMax}`)
      return request.promise
    }
    if (requestTimeoutMs !== undefined) giveUpAfter(requestTimeoutMs, request)
    const isProof = request.xid === xids.auth
    if (isProof) this.#remember(request)
    if (this.state.now === 'connected') this.#send(request)
    else if (!isProof) this.#waiting.push(request)
    return request.promise
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
    if (!isFinal(this.state.now)) this.#end('closed')
  }

  #xidFor(operation: Operation): number {
    if (operation === 'ping') return xids.ping
    if (operation === 'auth') return xids.auth
    this.#xid = this.#xid === 0x7fff_ffff ? 1 : this.#xid + 1
    return this.#xid
  }

  /** The same words twice are said once on the next link. */
  #remember(proof: Pending): void {
    const others = this.#proofs.filter(
      ({ frame, settled }) => !settled || !isSame(frame, proof.frame),
    )
    this.#proofs = [...others, proof]
  }

  #send(request: Pending): void {
    this.#liveness?.sent()
    this.#connection?.send(request)
  }

  #open(): void {
    this.#connection = this.#dial(this.#settings.canBeReadOnly)
  }

  #dial(canBeReadOnly: boolean): Connection {
    const { urls, transport, timeoutMs, connectTimeoutMs } = this.#settings
    const url = urls[this.#nextUrl++ % urls.length] as string
    const resumed = this.#isKnown ? this.#ticket : undefined
    const hello = {
      protocolVersion: 0,
      lastZxidSeen: this.#seenZxid,
      timeOut: timeoutMs,
      sessionId: resumed?.id ?? 0n,
      passwd: resumed?.password ?? new Uint8Array(16),
      readOnly: canBeReadOnly,
    }
    const connection = new Connection(transport, this.#address(url, resumed?.id), hello, {
      established: (response) => {
        if (connection === this.#seeker) this.#takeOver()
        this.#establish(response)
      },
      heard: () => {
        if (connection === this.#connection) this.#liveness?.heard()
      },
      refused: () => this.#end('authFailed'),
      seen: (zxid) => {
        this.#repliedZxid = zxid
        this.#seenZxid = Math.max(this.#seenZxid, zxid)
      },
      watchEvent: (type, path, zxid) => {
        this.#seenZxid = Math.max(this.#seenZxid, zxid)
        this.watches.receive(type, this.chroot.inward(path) ?? path)
      },
      ended: () => {
        if (connection === this.#connection) this.#reopen()
        else if (connection === this.#seeker) this.#seek()
      },
    })
    this.#timer = setTimeout(() => connection.abort('no answer'), connectTimeoutMs)
    return connection
  }

  /** While a server that is cut off serves: looks for one that is not, again and again. */
  #seek(): void {
    clearTimeout(this.#timer)
    this.#seeker = undefined
    this.#timer = setTimeout(() => {
      this.#seeker = this.#dial(false)
    }, this.#seekPause.next())
  }

  /** One is found: it serves from now on, and whatever the other one was asked is lost with its link. */
  #takeOver(): void {
    const before = this.#connection
    this.#connection = this.#seeker
    this.#seeker = undefined
    before?.abort('a server that also writes was found')
    this.#liveness?.stop()
    this.state.become('suspended')
  }

  #stopSeeking(): void {
    const seeker = this.#seeker
    this.#seeker = undefined
    seeker?.abort('sought no longer')
  }

  /** A session's id says which actor has it: the edge reads it from the address. */
  #address(url: string, id: bigint | undefined): string {
    const address = new URL(url)
    const { member } = this.#settings
    if (member !== undefined) address.searchParams.set('member', `${member}`)
    if (id !== undefined) address.searchParams.set('session', showSessionId(asSessionId(id)))
    return address.href
  }

  #establish({ timeOut, sessionId, passwd, readOnly = false }: ConnectResponse): void {
    clearTimeout(this.#timer)
    if (timeOut <= 0) return this.#end('expired')
    this.#ticket = {
      id: sessionId,
      password: new Uint8Array(passwd ?? []),
      timeoutMs: timeOut,
    }
    this.#isReadOnly = readOnly
    if (readOnly) this.#seek()
    else {
      this.#isKnown = true
      this.#seekPause.reset()
    }
    this.#backoff.reset()
    this.#liveness = new Liveness(
      timeOut,
      () => this.#ping(),
      () => this.#connection?.abort(`nothing heard for ${Math.round((timeOut * 2) / 3)} ms`),
    )
    this.#rearm()
    this.state.become('connected')
    const waiting = this.#waiting
    this.#waiting = []
    for (const request of waiting) if (!request.settled) this.#send(request)
  }

  /** Who we are first: the server tells nobody of what he may not read. */
  #rearm(): void {
    for (const proof of this.#proofs) this.#connection?.send(proof)
    const outward = (path: string) => this.chroot.outward(path)
    for (const batch of this.watches.setWatches(this.#repliedZxid, outward)) {
      this.#connection?.setWatches(batch)
    }
    this.watches.resume()
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
    this.#stopSeeking()
    if (isFinal(this.state.now)) return
    if (this.#closing) return this.leave()
    if (this.state.now === 'connected') this.state.become('suspended')
    this.#timer = setTimeout(() => this.#open(), this.#backoff.next())
  }

  #end(state: FinalState): void {
    this.state.become(state)
    clearTimeout(this.#timer)
    this.#stopSeeking()
    this.#connection?.abort(state)
    for (const request of [...this.#waiting, ...this.#proofs]) request.fail(endedAs[state])
    this.#waiting = []
    this.watches.end()
  }
}

const endedAs = {
  expired: 'SessionExpired',
  closed: 'SessionClosed',
  authFailed: 'AuthFailed',
} as const satisfies Record<FinalState, ErrorCode>

const isSame = (one: Uint8Array, other: Uint8Array): boolean =>
  one.length === other.length && one.every((byte, at) => byte === other[at])

function giveUpAfter<T>(ms: number, request: Request<T>): void {
  const timer = setTimeout(() => request.fail('RequestTimeout', `no answer for ${ms} ms`), ms)
  const stop = () => clearTimeout(timer)
  request.promise.then(stop, stop)
}
