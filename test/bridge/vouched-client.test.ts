import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { limits } from '../../src/core/shared/limits.ts'
import { vouchedClient, vouchFor } from '../../src/core/wire/client.ts'

const under = (secret: string) => (text: string) =>
  createHmac('sha256', secret).update(text).digest('hex')
const checked = (secret: string) => (mac: string, text: string) => mac === under(secret)(text)

describe('a client a bridge vouches for', () => {
  const now = 1_800_000_000_000
  const client = { address: '[2001:db8::1]:5000', subject: 'CN=Zoë;x,O=A\nB' }
  const header = vouchFor(client, now, under('secret'))
  const open = (text: string, nowMs = now, secret = 'secret') =>
    vouchedClient(text, nowMs, checked(secret))

  it('is believed with the same secret, for a while', () => {
    expect(open(header)).toEqual(client)
    expect(open(header, now + limits.vouchedClientAgeMsMax)).toEqual(client)
    expect(open(header, now - limits.vouchedClientAgeMsMax)).toEqual(client)
  })

  it('is not believed with another secret, changed, or too old or too new', () => {
    expect(open(header, now, 'other')).toBeUndefined()
    expect(open(header.replace('::1', '::2'))).toBeUndefined()
    expect(open(header.replace('CN', 'DN'))).toBeUndefined()
    expect(open(header.replace(String(now), String(now + 1)))).toBeUndefined()
    expect(open(header, now + limits.vouchedClientAgeMsMax + 1)).toBeUndefined()
    expect(open(header, now - limits.vouchedClientAgeMsMax - 1)).toBeUndefined()
    for (const junk of ['', ';', ';;', 'a;b;c', `${header};x`, header.slice(0, -1)]) {
      expect(open(junk)).toBeUndefined()
    }
  })

  it('is not believed without a time, though the mac be right', () => {
    const timeless = `a;;NaN;${under('secret')('durable-keeper client\na;;NaN')}`
    expect(open(timeless)).toBeUndefined()
  })
})
