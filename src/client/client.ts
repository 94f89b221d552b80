/** A client of a ZooKeeper-compatible ensemble, for Node, browsers and Workers. */
import type { Acl, Stat } from '../core/jute/records.ts'
import { addWatchModes, watcherTypes } from '../core/wire/opcodes.ts'
import type {
  Children,
  Identity,
  MemberChange,
  ReadOptions,
  Value,
  VersionOption,
  WatchMode,
} from './answers.ts'
import { Asking } from './asking.ts'
import {
  bytesOf,
  containerRequest,
  type Created,
  type CreateOptions,
  createRequest,
  type CreateTtlOptions,
  type Data,
  type NodeOptions,
  ttlRequest,
} from './create.ts'
import { ZooKeeperError } from './errors.ts'
import { type Answers, readAnswers, type Step } from './multi.ts'
import { type Read, type ReadAnswers, readEach } from './multi-read.ts'
import { type ClientOptions, type SessionTicket, settingsOf } from './options.ts'
import { Session } from './session.ts'
import { isFinal, type State, type StateListener } from './session-state.ts'
import type { WatcherType, WatchKind, WatchListener } from './watch.ts'

/** Where the members stand: the client knows no tree. */
const configPath = '/zookeeper/config'

/**
 * Begins a session with one of the servers at `url`, tried in turn from a random one on, and returns at once: operations
 * wait for the session. Throws TypeError for no url, one that is none, and a
 * chroot that is no path.
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
  readonly #asking: Asking

  constructor(session: Session) {
    this.#session = session
    this.#asking = new Asking(session)
  }

  get state(): State {
    return this.#session.state.now
  }

  /** Connected to a server that is cut off from its ensemble: it answers reads, of what it last knew, and NotReadOnly. */
  get isReadOnly(): boolean {
    return this.#session.isReadOnly
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
    const request = createRequest(path, options, this.#session.acl)
    return this.#asking.one('create', path, request, this.#inward)
  }

  /** As `create`, and answers the new node's stat too. */
  create2(path: string, options: CreateOptions = {}): Promise<Created> {
    const request = createRequest(path, options, this.#session.acl)
    return this.#asking.one('create2', path, request, this.#inwardCreated)
  }

  /** A node that the server deletes some time after its last child is gone. */
  createContainer(path: string, options: NodeOptions = {}): Promise<Created> {
    const request = containerRequest(path, options, this.#session.acl)
    return this.#asking.one('createContainer', path, request, this.#inwardCreated)
  }

  /**
   * A node that the server deletes when it had no child and no `set` for `ttlMs`. Unimplemented where the server has no
   * extended types; BadArguments below 1 ms.
   */
  createTtl(path: string, ttlMs: number, options: CreateTtlOptions = {}): Promise<Created> {
    const request = ttlRequest(path, ttlMs, options, this.#session.acl)
    return this.#asking.one('createTtl', path, request, this.#inwardCreated)
  }

  /** NoNode, BadVersion, NotEmpty. */
  delete(path: string, { version = -1 }: VersionOption = {}): Promise<undefined> {
    return this.#asking.one('delete', path, { path, version }, () => undefined)
  }

  /** The node's stat, or undefined where there is none; a watch then waits for its creation. */
  exists(path: string, { watch }: ReadOptions = {}): Promise<Stat | undefined> {
    const request = { path, watch: watch !== undefined }
    const grant = ({ stat }: { stat: Stat }): Stat | undefined => {
      this.#arm('data', path, watch)
      return stat
    }
    return this.#asking.one('exists', path, request, grant, (error) => {
      if (error.code !== 'NoNode') throw error
      this.#arm('exist', path, watch)
      return undefined
    })
  }

  /** NoNode. */
  get(path: string, { watch }: ReadOptions = {}): Promise<Value> {
    return this.#asking.one(
      'getData',
      path,
      { path, watch: watch !== undefined },
      ({ data, stat }) => {
        this.#arm('data', path, watch)
        // A copy: what was read is a view of the whole message, and would keep it alive.
        return { data: data && new Uint8Array(data), stat }
      },
    )
  }

  /** Answers the new stat. NoNode, BadVersion. */
  set(path: string, data: Data, { version = -1 }: VersionOption = {}): Promise<Stat> {
    const request = { path, data: bytesOf(data), version }
    return this.#asking.one('setData', path, request, (reply) => reply.stat)
  }

  /** Names of the children, in no order. NoNode. */
  getChildren(path: string, { watch }: ReadOptions = {}): Promise<readonly string[]> {
    return this.#asking.one('getChildren', path, { path, watch: watch !== undefined }, (reply) => {
      this.#arm('child', path, watch)
      return reply.children
    })
  }

  /** As `getChildren`, and answers the parent's stat too. */
  getChildren2(path: string, { watch }: ReadOptions = {}): Promise<Children> {
    return this.#asking.one('getChildren2', path, { path, watch: watch !== undefined }, (reply) => {
      this.#arm('child', path, watch)
      return reply
    })
  }

  /** After it, reads see everything that was committed when the leader received it. The path need not exist. */
  sync(path = '/'): Promise<string> {
    return this.#asking.one('sync', path, { path }, (reply) =>
      this.#inward({ path: reply.path ?? '/' }),
    )
  }

  /**
   * All steps take effect, at one zxid, or none does. Answers what each step answers, in the same places.
   * MultiError names the step that was refused.
   *
   *     const [path, stat] = await client.multi([step.create('/a'), step.set('/b', 'x', { version: 3 })])
   */
  multi<const S extends readonly Step<unknown>[]>(steps: S): Promise<Answers<S>> {
    const { acl } = this.#session
    const asked = steps.map(({ operation, path, requestWith }) => ({
      operation,
      path,
      request: requestWith(acl),
    }))
    return this.#asking.many('multi', asked, (body) =>
      readAnswers(steps, body, this.#asking.nameOf),
    )
  }

  /**
   * Reads many nodes as they are at one moment. Answers a value or a ZooKeeperError each, in the same places.
   *
   *     const [config, workers] = await client.multiRead([read.get('/config'), read.getChildren('/workers')])
   */
  multiRead<const S extends readonly Read<unknown>[]>(reads: S): Promise<ReadAnswers<S>> {
    return this.#asking.many('multiRead', reads, (body) => readEach(reads, body))
  }

  /** Paths of this session's ephemerals that begin with `prefix`. */
  getEphemerals(prefix = '/'): Promise<readonly string[]> {
    const { chroot } = this.#session
    const request = { prefixPath: chroot.outward(prefix) }
    return this.#asking.one('getEphemerals', undefined, request, ({ ephemerals }) =>
      ephemerals.flatMap((path) => chroot.inward(path) ?? []),
    )
  }

  /** How many nodes there are below this one, at every depth. NoNode. */
  getAllChildrenNumber(path: string): Promise<number> {
    return this.#asking.one('getAllChildrenNumber', path, { path }, (reply) => reply.totalNumber)
  }

  /**
   * Tells `listener` of every event until it is removed or the session ends. The node need not be there. After a lost link
   * the watch is armed again, and `resumed` says that events may have been missed.
   */
  addWatch(path: string, mode: WatchMode, listener: WatchListener): Promise<undefined> {
    const kind = mode === 'persistent' ? 'persistent' : 'recursive'
    const request = { path, mode: addWatchModes[mode] }
    return this.#asking.one('addWatch', path, request, () => this.#arm(kind, path, listener))
  }

  /** Does the server hold such a watch of this client's? */
  checkWatches(path: string, type: WatcherType = 'any'): Promise<boolean> {
    const request = { path, type: watcherTypes[type] }
    return this.#asking.one(
      'checkWatches',
      path,
      request,
      () => true,
      (error) => {
        if (error.code !== 'NoWatcher') throw error
        return false
      },
    )
  }

  /**
   * Takes watches off a path, all of this type or those of one listener; they are told `removed`. A watch that other
   * listeners share stays at the server. NoWatcher.
   */
  removeWatches(
    path: string,
    type: WatcherType = 'any',
    listener?: WatchListener,
  ): Promise<undefined> {
    const { watches } = this.#session
    const armed = watches.of(type, path)
    if (listener && !armed.has(listener)) {
      return Promise.reject(new ZooKeeperError('NoWatcher', 'removeWatches', path))
    }
    if (listener && armed.size > 1) {
      watches.remove(type, path, listener)
      return Promise.resolve(undefined)
    }
    const forget = (): undefined => {
      watches.remove(type, path)
    }
    return this.#asking.one(
      'removeWatches',
      path,
      { path, type: watcherTypes[type] },
      forget,
      (error) => {
        // The server's word: what it does not hold will not be told.
        if (error.code === 'NoWatcher') forget()
        throw error
      },
    )
  }

  /**
   * Proves who this client is, now and on every link to come: `addAuth('digest', 'user:password')`. Identities add up.
   * Refused, it rejects with AuthFailed and ends the client: every server would refuse it again.
   */
  addAuth(scheme: string, auth: Uint8Array | string): Promise<undefined> {
    const packet = { type: 0, scheme, auth: bytesOf(auth) }
    return this.#asking.one('auth', undefined, packet, () => undefined)
  }

  /** Who this client is to the server: its address, and what it has proved. */
  whoAmI(): Promise<readonly Identity[]> {
    return this.#asking.one('whoAmI', undefined, undefined, ({ clientInfo }) =>
      clientInfo.map(({ authScheme, user }) => ({ scheme: authScheme, user })),
    )
  }

  /** NoNode. */
  getAcl(path: string): Promise<{ readonly acl: readonly Acl[]; readonly stat: Stat }> {
    return this.#asking.one('getAcl', path, { path }, (reply) => reply)
  }

  /** Answers the new stat. Here `version` is the ACL's own: `stat.aversion`. NoNode, BadVersion, InvalidAcl. */
  setAcl(path: string, acl: readonly Acl[], { version = -1 }: VersionOption = {}): Promise<Stat> {
    return this.#asking.one('setAcl', path, { path, acl, version }, (reply) => reply.stat)
  }

  /** The members of the ensemble, ZooKeeper's lines, and the stat of /zookeeper/config; without a watch under a chroot. */
  getConfig({ watch }: ReadOptions = {}): Promise<Value> {
    const { isWholeTree } = this.#session.chroot
    const asked = isWholeTree ? watch : undefined
    const request = { path: configPath, watch: asked !== undefined }
    return this.#asking.one('getData', isWholeTree ? configPath : undefined, request, (reply) => {
      this.#arm('data', configPath, asked)
      return { data: reply.data && new Uint8Array(reply.data), stat: reply.stat }
    })
  }

  /**
   * Changes the members: lines `server.N=host:port:port:role;host:port` that join and numbers that leave, or the whole list
   * in `members`. Answers the new list. ReconfigDisabled, NoAuth, BadVersion, BadArguments, ReconfigInProgress,
   * NewConfigNoQuorum. Where it takes the lead from the server's leader the answer may be a ConnectionLoss.
   */
  reconfig({ joining, leaving, members, version = -1 }: MemberChange): Promise<Value> {
    const request = {
      joiningServers: joining?.join(',') ?? null,
      leavingServers: leaving?.join(',') ?? null,
      newMembers: members?.join('\n') ?? null,
      curConfigId: version,
    }
    return this.#asking.one('reconfig', undefined, request, ({ data, stat }) => ({
      data: data && new Uint8Array(data),
      stat,
    }))
  }

  /** A round trip to the server that changes nothing. The client keeps its session alive without it. */
  ping(): Promise<undefined> {
    return this.#asking.one('ping', undefined, undefined, () => undefined)
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

  readonly #inward = ({ path }: { readonly path: string }): string => this.#asking.nameOf(path)
  readonly #inwardCreated = ({ path, stat }: Created): Created => ({
    path: this.#asking.nameOf(path),
    stat,
  })

  #arm(kind: WatchKind, path: string, listener: WatchListener | undefined): undefined {
    if (listener) this.#session.watches.arm(kind, path, listener)
  }
}
