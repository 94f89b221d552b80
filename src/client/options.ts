/** What an application may choose about a client, and what holds when it does not. */
import type { Acl } from '../core/jute/records.ts'
import { Chroot } from './chroot.ts'
import { openAcl } from './create.ts'
import { type Dial, webSocket } from './transport.ts'

/** What it takes to go on with a session: from `client.session`, in this process or another. */
export interface SessionTicket {
  readonly id: bigint
  /** 16 bytes. Whoever has them can take the session over. */
  readonly password: Uint8Array
  /** As negotiated, in ms. */
  readonly timeoutMs: number
}

export interface ClientOptions {
  /** Session timeout to ask for, in ms; the server bounds it. Default 30 000. */
  readonly timeoutMs?: number
  /** A session to resume. Without it a new one is begun. */
  readonly session?: Pick<SessionTicket, 'id' | 'password'>
  /** Number of the ensemble member to be served by. Default: the edge chooses. WebSocket only. */
  readonly member?: number
  /** A path whose subtree is this client's whole tree: with `/app`, `/a` is `/app/a` at the server. It must be there. */
  readonly chroot?: string
  /** Of nodes that are created without one. Default: everyone may do everything. Recipes create theirs so. */
  readonly acl?: readonly Acl[]
  /**
   * Also take a server that is cut off from its ensemble and only answers reads, until one that also writes is found. Default:
   * false. See `isReadOnly`.
   */
  readonly canBeReadOnly?: boolean
  /** How bytes travel. Default: WebSocket. */
  readonly transport?: Dial
  /**
   * A server that has not answered the handshake for so many ms is given up. Default: timeoutMs / number of urls, and
   * at least 1000.
   */
  readonly connectTimeoutMs?: number
  /** An operation not answered for so many ms rejects with RequestTimeout. Default: never. */
  readonly requestTimeoutMs?: number
  /** The pause before a new link, in ms: `first`, doubling up to `max`, less up to half by chance. Default 100 and 3000. */
  readonly retryDelayMs?: { readonly first: number; readonly max: number }
  /** Longest request the servers take, in bytes (ZooKeeper's jute.maxbuffer). Default 1 048 575. */
  readonly frameBytesMax?: number
}

/** Every choice made. */
export interface Settings {
  readonly urls: readonly string[]
  readonly timeoutMs: number
  readonly session: SessionTicket | undefined
  readonly member: number | undefined
  readonly chroot: Chroot
  readonly acl: readonly Acl[]
  readonly canBeReadOnly: boolean
  readonly transport: Dial
  readonly connectTimeoutMs: number
  readonly requestTimeoutMs: number | undefined
  readonly retryDelayMs: { readonly first: number; readonly max: number }
  readonly frameBytesMax: number
}

/** Throws TypeError for no url, one that is none, and a chroot that is no path. */
export function settingsOf(url: string | readonly string[], options: ClientOptions): Settings {
  const urls = typeof url === 'string' ? [url] : url
  if (urls.length === 0) throw new TypeError('at least one url is needed')
  for (const one of urls) new URL(one)
  const timeoutMs = options.timeoutMs ?? 30_000
  return {
    urls,
    timeoutMs,
    session: options.session && { ...options.session, timeoutMs },
    member: options.member,
    chroot: new Chroot(options.chroot ?? '/'),
    acl: options.acl ?? openAcl,
    canBeReadOnly: options.canBeReadOnly ?? false,
    transport: options.transport ?? webSocket,
    connectTimeoutMs: options.connectTimeoutMs ?? Math.max(1000, timeoutMs / urls.length),
    requestTimeoutMs: options.requestTimeoutMs,
    retryDelayMs: options.retryDelayMs ?? { first: 100, max: 3000 },
    frameBytesMax: options.frameBytesMax ?? 1_048_575,
  }
}
