/** Where a WebSocket's client sits: as the platform tells it, or as a bridge with the secret BRIDGE_SECRET vouches. */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Env } from '../actors/env.ts'
import {
  knownAddressHeader,
  vouchedAddress,
  vouchedAddressHeader,
} from '../core/wire/client-address.ts'

/** The same upgrade, with the address for the session actor; undefined when somebody vouches who may not. */
export function withClientAddress(request: Request, env: Env): Request | undefined {
  const vouched = request.headers.get(vouchedAddressHeader)
  const secret = env.BRIDGE_SECRET
  const isBelieved = vouched !== null && secret !== undefined && secret !== ''
  const address = isBelieved
    ? vouchedAddress(vouched, Date.now(), (mac, text) => isMacOf(secret, mac, text))
    : (request.headers.get('cf-connecting-ip') ?? '')
  if (address === undefined) return undefined
  const told = new Request(request)
  told.headers.set(knownAddressHeader, address)
  return told
}

function isMacOf(secret: string, mac: string, text: string): boolean {
  const wanted = createHmac('sha256', secret).update(text).digest()
  const given = Buffer.from(mac, 'hex')
  return given.length === wanted.length && timingSafeEqual(given, wanted)
}
