/** The deployed Worker, as a bridge reaches it: a WebSocket a client, and four-letter words over HTTP. */
import { createHmac } from 'node:crypto'
import { get as getPlain, type IncomingMessage } from 'node:http'
import { get as getSecure } from 'node:https'
import { WebSocket } from 'ws'
import { limits } from '../core/shared/limits.ts'
import { type Client, vouchedClientHeader, vouchFor } from '../core/wire/client.ts'

export interface FarSideOptions {
  /** `wss://host/session`, or `ws:` on a network one trusts. */
  readonly to: URL
  /** Shared with the Worker. Without one, the Worker sees the bridge's own address. */
  readonly secret?: string | undefined
  /** PEM. Takes the place of the certificate authorities that Node trusts. */
  readonly ca?: string | undefined
  /** Whoever answers is believed to be the Worker. */
  readonly skipsVerify?: boolean | undefined
}

/** A client's, as far as the far side must know it. */
export interface Caller {
  readonly session: bigint
  readonly client: Client
  /** The member the client wants to be served by. */
  readonly member: number | undefined
}

export class FarSide {
  readonly #options: FarSideOptions

  constructor(options: FarSideOptions) {
    this.#options = options
  }

  get name(): string {
    return this.#options.to.href
  }

  /** A WebSocket on its way to the actor that holds, or will hold, the caller's session. */
  dial({ session, client, member }: Caller): WebSocket {
    const { to, secret } = this.#options
    const url = new URL(to)
    if (session !== 0n) {
      url.searchParams.set('session', `0x${BigInt.asUintN(64, session).toString(16)}`)
    }
    if (member !== undefined) url.searchParams.set('member', String(member))
    const headers: Record<string, string> = {}
    if (secret !== undefined) {
      const macOf = (text: string) => createHmac('sha256', secret).update(text).digest('hex')
      headers[vouchedClientHeader] = vouchFor(client, Date.now(), macOf)
    }
    return new WebSocket(url, {
      ...this.#tls(),
      headers,
      perMessageDeflate: false,
      handshakeTimeout: limits.handshakeMs,
      maxPayload: farMessageBytesMax,
    })
  }

  /** What the member, or any that serves, answers to a four-letter word. */
  async word(word: string, member: number | undefined): Promise<string> {
    const { to } = this.#options
    const url = new URL(`words/${word}`, to)
    url.protocol = to.protocol === 'wss:' ? 'https:' : 'http:'
    if (member !== undefined) url.searchParams.set('member', String(member))
    const get = to.protocol === 'wss:' ? getSecure : getPlain
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const signal = AbortSignal.timeout(limits.handshakeMs)
      get(url, { ...this.#tls(), signal }, resolve).on('error', reject)
    })
    const text = await textOf(answer)
    if (answer.statusCode !== 200) throw new Error(refusalText(answer.statusCode, text))
    return text
  }

  #tls(): { ca?: string; rejectUnauthorized?: boolean } {
    const { ca, skipsVerify } = this.#options
    return {
      ...(ca === undefined ? {} : { ca }),
      ...(skipsVerify === true ? { rejectUnauthorized: false } : {}),
    }
  }
}

/** Why an upgrade was answered with something else. */
export async function refusalOf(answer: IncomingMessage): Promise<string> {
  return refusalText(answer.statusCode, await textOf(answer))
}

/** The platform's own bound for a WebSocket message. */
const farMessageBytesMax = 32 * 1024 * 1024

const answerCharsMax = 1024 * 1024

async function textOf(answer: IncomingMessage): Promise<string> {
  let text = ''
  for await (const part of answer.setEncoding('utf8')) {
    text += String(part)
    if (text.length > answerCharsMax) throw new Error('the answer has no end')
  }
  return text
}

/** The Worker says why in JSON; whatever else answers there may say anything. */
function refusalText(status: number | undefined, body: string): string {
  const why = /^\{"error":"(.*)"\}$/.exec(body.trim())?.[1]?.slice(0, limits.shownBytesMax) ?? ''
  return why === '' ? `it answers ${status}` : `it answers ${status}: ${why}`
}
