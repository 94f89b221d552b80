/** A session over a bare socket: what is asked and what comes back, frame by frame. */
import { decode, type Decoded, encode, Reader, Writer } from '../../../src/core/jute/codec.ts'
import type { Codec } from '../../../src/core/jute/codec.ts'
import {
  type Acl,
  ConnectRequest,
  ConnectResponse,
  ReplyHeader,
  WatcherEvent,
} from '../../../src/core/jute/records.ts'
import { worldAnyone } from '../../../src/core/tree/acl.ts'
import {
  type MultiOperation,
  type MultiResult,
  readMultiResponse,
  writeMultiRequest,
} from '../../../src/core/wire/multi.ts'
import { type Operation, opcodes, xids } from '../../../src/core/wire/opcodes.ts'
import { framed, RawClient, request } from '../raw-client.ts'

type RequestOf<O extends Operation> = Decoded<(typeof opcodes)[O]['request']>
type ReplyOf<O extends Operation> = Decoded<(typeof opcodes)[O]['reply']>

export interface Reply {
  readonly xid: number
  readonly zxid: number
  readonly err: number
  /** What stands behind the header. */
  readonly body: Uint8Array
}

export interface SeenEvent {
  readonly type: number
  readonly state: number
  readonly path: string
  readonly zxid: number
  readonly err: number
}

export interface Greeting {
  readonly timeoutMs?: number
  readonly sessionId?: bigint
  readonly passwd?: Uint8Array
  readonly lastZxidSeen?: number
  /** undefined: the byte is left out, as old clients do. */
  readonly readOnly?: boolean | undefined
}

export const greeting = (wish: Greeting = {}): Uint8Array =>
  framed(
    encode(ConnectRequest, {
      protocolVersion: 0,
      lastZxidSeen: wish.lastZxidSeen ?? 0,
      timeOut: wish.timeoutMs ?? 10_000,
      sessionId: wish.sessionId ?? 0n,
      passwd: wish.passwd ?? new Uint8Array(16),
      readOnly: 'readOnly' in wish ? wish.readOnly : false,
    }),
  )

export class Session {
  readonly client: RawClient
  readonly greeted: Decoded<typeof ConnectResponse>
  /** In the order they came; what is taken out is not seen again. */
  readonly events: SeenEvent[] = []
  #xid = 0
  #before: Promise<void> = Promise.resolve()

  private constructor(client: RawClient, greeted: Decoded<typeof ConnectResponse>) {
    this.client = client
    this.greeted = greeted
  }

  static async open(port: number, wish: Greeting = {}): Promise<Session> {
    const client = await RawClient.dial(port)
    client.send(greeting(wish))
    const frame = await client.frame()
    if (frame === undefined) throw new Error('no ConnectResponse')
    return new Session(client, decode(ConnectResponse, frame))
  }

  get id(): bigint {
    return this.greeted.sessionId
  }

  get passwd(): Uint8Array {
    return this.greeted.passwd ?? new Uint8Array(0)
  }

  /** Sends without waiting; answers the xid. */
  send<O extends Operation>(op: O, body: RequestOf<O>, xid = (this.#xid += 1)): number {
    this.client.send(
      request(xid, opcodes[op].code, encode(opcodes[op].request as Codec<RequestOf<O>>, body)),
    )
    return xid
  }

  /** The next reply, events on the way put aside; undefined once the connection is closed. */
  async next(): Promise<Reply | undefined> {
    for (;;) {
      const frame = await this.client.frame()
      if (frame === undefined) return undefined
      const reader = new Reader(frame)
      const header = ReplyHeader.read(reader)
      if (header.xid !== xids.watchEvent) return { ...header, body: frame.subarray(reader.at) }
      const { type, state, path } = WatcherEvent.read(reader)
      this.events.push({ type, state, path, zxid: header.zxid, err: header.err })
    }
  }

  async ask<O extends Operation>(op: O, body: RequestOf<O>): Promise<Reply> {
    return this.#answerTo(this.send(op, body))
  }

  /** The error code alone. */
  async err<O extends Operation>(op: O, body: RequestOf<O>): Promise<number> {
    return (await this.ask(op, body)).err
  }

  /** The reply's record; throws when it is refused. */
  async get<O extends Operation>(op: O, body: RequestOf<O>): Promise<ReplyOf<O>> {
    const reply = await this.ask(op, body)
    if (reply.err !== 0) throw new Error(`${op} ${JSON.stringify(body)}: ${reply.err}`)
    return decode(opcodes[op].reply as Codec<ReplyOf<O>>, reply.body)
  }

  /** Creates a node and answers its path. */
  async create(
    path: string,
    { data = null, acl = worldAnyone, flags = 0 }: Partial<NewNode> = {},
  ): Promise<string> {
    const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data
    return (await this.get('create', { path, data: bytes, acl: [...acl], flags })).path
  }

  async set(path: string, data = ''): Promise<void> {
    await this.get('setData', { path, data: new TextEncoder().encode(data), version: -1 })
  }

  async delete(path: string): Promise<void> {
    await this.get('delete', { path, version: -1 })
  }

  /** The error of adding an auth. */
  async auth(scheme: string, auth: string): Promise<number> {
    const body = { type: 0, scheme, auth: new TextEncoder().encode(auth) }
    return (await this.#answerTo(this.send('auth', body, xids.auth))).err
  }

  async multi(
    operations: readonly MultiOperation[],
    op: 'multi' | 'multiRead' = 'multi',
  ): Promise<{
    readonly err: number
    readonly zxid: number
    readonly results: readonly MultiResult[]
  }> {
    const { err, zxid, body } = await this.#answerTo(this.sendMulti(operations, op))
    return { err, zxid, results: err === 0 ? readMultiResponse(new Reader(body)) : [] }
  }

  sendMulti(operations: readonly MultiOperation[], op: 'multi' | 'multiRead' = 'multi'): number {
    const writer = new Writer(4096)
    writeMultiRequest(writer, operations)
    const xid = (this.#xid += 1)
    this.client.send(request(xid, opcodes[op].code, writer.take()))
    return xid
  }

  /** Every event that came since the last call, none still on its way: a ping and a sync are answered behind them. */
  async heard(): Promise<readonly SeenEvent[]> {
    await this.get('sync', { path: '/' })
    return this.events.splice(0)
  }

  async ping(): Promise<Reply> {
    return this.#answerTo(this.send('ping', undefined, xids.ping))
  }

  /** Resolves when the other end closes; answers how many frames came before. */
  async closed(): Promise<number> {
    let frames = 0
    while ((await this.client.frame()) !== undefined) frames += 1
    return frames
  }

  /** Ends the session, and waits for the end. */
  async close(): Promise<void> {
    this.send('closeSession', undefined)
    await this.closed()
    this.client.destroy()
  }

  /** The connection ends without a word; the session goes on for its timeout. */
  drop(): void {
    this.client.destroy()
  }

  /** Replies come in the order of their requests: who asked first takes first. */
  #answerTo(xid: number): Promise<Reply> {
    const answer = this.#before.then(() => this.#take(xid))
    this.#before = answer.then(
      () => undefined,
      () => undefined,
    )
    return answer
  }

  async #take(xid: number): Promise<Reply> {
    const reply = await this.next()
    if (reply === undefined) throw new Error('closed instead of a reply')
    if (reply.xid !== xid) throw new Error(`a reply to ${reply.xid} where ${xid} was asked`)
    return reply
  }
}

interface NewNode {
  readonly data: string | Uint8Array | null
  readonly acl: readonly Acl[]
  readonly flags: number
}
