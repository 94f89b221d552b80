/** Who a WebSocket's client is: as the platform tells it, or as a bridge with the secret BRIDGE_SECRET vouches. */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Env } from '../actors/env.ts'
import {
  type Client,
  knownClientHeaders,
  vouchedClient,
  vouchedClientHeader,
  writeSubject,
} from '../core/wire/client.ts'

/** The same upgrade, with the client for the session actor; undefined when somebody vouches who may not. */
export function withKnownClient(request: Request, env: Env): Request | undefined {
  const vouched = request.headers.get(vouchedClientHeader)
  const secret = env.BRIDGE_SECRET
  const isBelieved = vouched !== null && secret !== undefined && secret !== ''
  const client = isBelieved
    ? vouchedClient(vouched, Date.now(), (mac, text) => isMacOf(secret, mac, text))
    : seenClient(request)
  if (client === undefined) return undefined
  const told = new Request(request)
  told.headers.set(knownClientHeaders.address, client.address)
  told.headers.set(knownClientHeaders.subject, writeSubject(client.subject))
  return told
}

/** What the platform has seen: the address, and the certificate where mutual TLS is set up and held. */
function seenClient(request: Request): Client {
  const address = request.headers.get('cf-connecting-ip') ?? ''
  const tls = (request as Request<unknown, Partial<IncomingRequestCfProperties>>).cf?.tlsClientAuth
  const isProved = tls?.certPresented === '1' && tls.certVerified === 'SUCCESS'
  return { address, subject: isProved ? tls.certSubjectDNRFC2253 : '' }
}

function isMacOf(secret: string, mac: string, text: string): boolean {
  const wanted = createHmac('sha256', secret).update(text).digest()
  const given = Buffer.from(mac, 'hex')
  return given.length === wanted.length && timingSafeEqual(given, wanted)
}
