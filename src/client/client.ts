/** A client of a ZooKeeper-compatible ensemble, for Node, browsers and Workers. */
import type { Codec, Decoded } from '../core/jute/codec.ts'
import type { Acl, Stat } from '../core/jute/records.ts'
import { writeMultiRequest } from '../core/wire/multi.ts'
import { type Operation, opcodes } from '../core/wire/opcodes.ts'
import type { ZooKeeperError } from './errors.ts'
import {
  type Answers,
  bytesOf,
  type Created,
  type CreateOptions,
  createRequest,
  type Data,
  readAnswers,
  type Step,
} from './multi.ts'
import { type ClientOptions, type SessionTicket, settingsOf } from './options.ts'
import { Session } from './session.ts'
import { isFinal, type State, type StateListener } from './session-state.ts'
import type { WatchKind, WatchListener } from './watch.ts'

/** A node's data and stat. `data` is null where null was stored. */
export interface Value {
  readonly data: Uint8Array | null
  readonly stat: Stat
}

export interface Children {
  /** Names, not paths, in no order. */
  readonly children: readonly string[]
  /** Of the parent. */
  readonly stat: Stat
}

export interface ReadOptions {
  /** Told once of the next change of what was read. The watch outlives links, not the session. */
  readonly watch?: WatchListener
}

export interface VersionOption {
  /** The version the node must have, else BadVersion. Default −1: any. */
  readonly version?: number
}

/**
 * Begins a session with one of the servers at `url`, tried in turn from a random one on, and returns at once: operations
 * wait for the session. Throws TypeError for no url, or one that is none.
 *
 *     const client = connect('ws://127.0.0.1:8787/session')
 *     await client.create('/greeting', { data: 'hello' })
 *     const { data, stat } = await client.get('/greeting', { watch: (event) => console.log(event) })
 *     await client.close()
 */
export function connect(url: string | readonly string[], options: ClientOptions = {}): Client {
  return new Client(new Session(settingsOf(url, options)))
}

/**
 * Requests are written in the order they are asked for, without waiting for replies; replies and watch events reach
 * the application in the order the server sent them. While there is no link, operations wait for one.
 *
 * Every promise rejects with ZooKeeperError; see there for ConnectionLoss, SessionExpired and the rest of what any
 * operation may reject with. The codes an operation adds are named with it.
 */
export class Client {
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  get state(): State {
    return this.#session.state.now
  }

  /** What it takes to resume this session elsewhere; undefined until a server has begun it. */
  get session(): SessionTicket | undefined {
    return this.#session.ticket
  }

  /** Tells each change of state. Returns the function that stops it. */
  onState(listener: StateListener): () => void {
    return this.#session.state.listen(listener)
  }

  /** Resolves as soon as the session is connected. Rejects with SessionExpired or SessionClosed when it ends first. */
  async ready(): Promise<void> {
    if (this.state === 'connected') return
    if (isFinal(this.state)) return this.ping()
    await new Promise<void>((resolve) => {
      const stop = this.onState((state) => {
        if (state === 'suspended') return
        stop()
        resolve()
      })
    })
    return this.ready()
  }

  /**
   * Creates a node and answers its path, with its digits where sequential.
   * NodeExists, NoNode (no parent), NoChildrenForEphemerals, InvalidAcl, BadArguments (path).
   */
  create(path: string, options: CreateOptions = {}): Promise<string> {
    const request = createRequest(path, options)
    return this.#ask('create', path, request, (reply) => reply.path)
  }

  /** As `create`, and answers the new node's stat too. */
  create2(path: string, options: CreateOptions = {}): Promise<Created> {
    return this.#ask('create2', path, createRequest(path, options), (reply) => reply)
  }

  /** NoNode, BadVersion, NotEmpty. */
  delete(path: string, { version = -1 }: VersionOption = {}): Promise<undefined> {
    return this.#ask('delete', path, { path, version }, () => undefined)
  }

  /** The node's stat, or undefined where there is none; a watch then waits for its creation. */
  exists(path: string, { watch }: ReadOptions = {}): Promise<Stat | undefined> {
    const request = { path, watch: watch !== undefined }
    const grant = ({ stat }: { stat: Stat }): Stat | undefined => {
      this.#arm('data', path, watch)
      return stat
    }
    return this.#ask('exists', path, request, grant, (error) => {
      if (error.code !== 'NoNode') throw error
      this.#arm('exist', path, watch)
      return undefined
    })
  }

  /** NoNode. */
  get(path: string, { watch }: ReadOptions = {}): Promise<Value> {
    return this.#ask('getData', path, { path, watch: watch !== undefined }, ({ data, stat }) => {
      this.#arm('data', path, watch)
      // A copy: what was read is a view of the whole message, and would keep it alive.
      return { data: data && new Uint8Array(data), stat }
    })
  }

  /** Answers the new stat. NoNode, BadVersion. */
  set(path: string, data: Data, { version = -1 }: VersionOption = {}): Promise<Stat> {
    const request = { path, data: bytesOf(data), version }
    return this.#ask('setData', path, request, (reply) => reply.stat)
  }

  /** Names of the children, in no order. NoNode. */
  getChildren(path: string, { watch }: ReadOptions = {}): Promise<readonly string[]> {
    return this.#ask('getChildren', path, { path, watch: watch !== undefined }, (reply) => {
      this.#arm('child', path, watch)
      return reply.children
    })
  }

  /** As `getChildren`, and answers the parent's stat too. */
  getChildren2(path: string, { watch }: ReadOptions = {}): Promise<Children> {
    return this.#ask('getChildren2', path, { path, watch: watch !== undefined }, (reply) => {
      this.#arm('child', path, watch)
      return reply
    })
  }

  /** After it, reads see everything that was committed when the leader received it. The path need not exist. */
  sync(path = '/'): Promise<string> {
    return this.#ask('sync', path, { path }, (reply) => reply.path)
  }

  /**
   * All steps take effect, at one zxid, or none does. Answers what each step answers, in the same places.
   * MultiError names the step that was refused.
   *
   *     const [path, stat] = await client.multi([step.create('/a'), step.set('/b', 'x', { version: 3 })])
   */
  multi<const S extends readonly Step<unknown>[]>(steps: S): Promise<Answers<S>> {
    return this.#session.ask({
      operation: 'multi',
      write: (into) => writeMultiRequest(into, steps),
      grant: (body) => readAnswers(steps, body),
    })
  }

  /** NoNode. */
  getAcl(path: string): Promise<{ readonly acl: readonly Acl[]; readonly stat: Stat }> {
    return this.#ask('getAcl', path, { path }, (reply) => reply)
  }

  /** Answers the new stat. Here `version` is the ACL's own: `stat.aversion`. NoNode, BadVersion, InvalidAcl. */
  setAcl(path: string, acl: readonly Acl[], { version = -1 }: VersionOption = {}): Promise<Stat> {
    return this.#ask('setAcl', path, { path, acl, version }, (reply) => reply.stat)
  }

  /** A round trip to the server that changes nothing. The client keeps its session alive without it. */
  ping(): Promise<undefined> {
    return this.#ask('ping', undefined, undefined, () => undefined)
  }

  /**
   * Ends the session behind everything asked before: its ephemerals are deleted. Never rejects. Without a link the
   * server cannot be told, and ends the session after its timeout.
   */
  close(): Promise<void> {
    return this.#session.close()
  }

  /** Lets go of the session without ending it, for another client to resume. What is under way rejects. */
  leave(): void {
    this.#session.leave()
  }

  #ask<O extends Operation, T>(
    operation: O,
    path: string | undefined,
    request: Decoded<(typeof opcodes)[O]['request']>,
    grant: (reply: Decoded<(typeof opcodes)[O]['reply']>) => T,
    refuse?: (error: ZooKeeperError) => T,
  ): Promise<T> {
    const row = opcodes[operation]
    const codec = row.reply as Codec<Decoded<(typeof opcodes)[O]['reply']>>
    return this.#session.ask({
      operation,
      ...(path !== undefined && { path }),
      write: (into) => (row.request as Codec<unknown>).write(into, request),
      grant: (body) => grant(codec.read(body)),
      ...(refuse && { refuse }),
    })
  }

  #arm(kind: WatchKind, path: string, listener: WatchListener | undefined): void {
    if (listener) this.#session.arm(kind, path, listener)
  }
}
