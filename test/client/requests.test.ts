/** What is asked over one link, against a server by hand and a clock by hand. */
import { describe, expect, test, vi } from 'vitest'
import { step, type WatchEvent } from '../../src/client/index.ts'
import type { MultiResult } from '../../src/core/wire/multi.ts'
import { begin, codeOf, stopTheClock } from './by-hand.ts'
import { event, multiReply, refusal, reply, settle, stat } from './scripted.ts'

stopTheClock()

describe('requests', () => {
  test('what is asked in one turn leaves in one message, in order', async () => {
    const { scripted, client } = begin()
    void client.create('/waited').catch(() => {})
    scripted.link.accept()
    for (const path of ['/a', '/b']) void client.delete(path).catch(() => {})
    await settle()
    expect(scripted.link.messages).toHaveLength(2)
    expect(scripted.link.asked.map(({ xid, operation }) => [xid, operation])).toEqual([
      [1, 'create'],
      [2, 'delete'],
      [3, 'delete'],
    ])
  })

  test('a message is cut between frames before it is too long', async () => {
    const { scripted, client } = begin()
    scripted.link.accept()
    const data = new Uint8Array(300 * 1024)
    for (let n = 0; n < 7; n++) void client.set('/a', data).catch(() => {})
    await settle()
    expect(scripted.link.messages.slice(1).map(({ length }) => Math.round(length / 1024))).toEqual([
      900, 900, 300,
    ])
    expect(scripted.link.asked).toHaveLength(7)
  })

  test('the bytes are those of the moment of asking', async () => {
    const { scripted, client } = begin()
    const data = new Uint8Array([1])
    void client.set('/a', data).catch(() => {})
    data[0] = 2
    scripted.link.accept()
    await settle()
    expect([...(scripted.link.messages.at(-1) ?? [])].slice(-5)).toEqual([1, 255, 255, 255, 255])
  })

  test('replies, refusals and events reach the application in the order of their frames', async () => {
    const { scripted, client } = begin()
    scripted.link.accept()
    const seen: string[] = []
    const watch = ({ type }: WatchEvent) => seen.push(type)
    void client.get('/a', { watch }).then(() => seen.push('first get'))
    void client.exists('/b', { watch }).then(() => seen.push('exists'))
    void client.set('/c', '').catch(() => seen.push('set refused'))
    void client.get('/a').then(() => seen.push('second get'))
    const get = { data: null, stat }
    scripted.link.say(
      reply('getData', 1, 1, get),
      refusal(2, 1, -101),
      event('dataChanged', '/a'),
      refusal(3, 2, -103),
      event('created', '/b'),
      reply('getData', 4, 3, get),
    )
    await settle()
    expect(seen).toEqual([
      'first get',
      'exists',
      'dataChanged',
      'set refused',
      'created',
      'second get',
    ])
  })

  test('a reply out of order ends the link', async () => {
    const { scripted, client } = begin()
    scripted.link.accept()
    const one = codeOf(client.ping().then(() => client.sync()))
    const two = codeOf(client.delete('/a'))
    scripted.link.say(refusal(9, 1, 0))
    expect(await two).toBe('ConnectionLoss')
    expect(await one).toBe('ConnectionLoss')
    expect(scripted.link.aborted).toBe(true)
  })

  test('a reply whose body is cut short ends the link, and its request is told', async () => {
    const { scripted, client } = begin()
    scripted.link.accept()
    const code = codeOf(client.get('/a'))
    scripted.link.say(refusal(1, 1, 0))
    expect(await code).toBe('ConnectionLoss')
  })

  test('a multi whose reply answers something else ends the link', async () => {
    for (const results of [[], [{ operation: 'setData', reply: { stat } }], [{ err: 0 }]]) {
      const { scripted, client } = begin()
      scripted.link.accept()
      const code = codeOf(client.multi([step.create('/a')]))
      scripted.link.say(multiReply(1, 1, results as readonly MultiResult[]))
      expect(await code).toBe('ConnectionLoss')
    }
  })

  test('pings may be answered before what was asked earlier', async () => {
    const { scripted, client } = begin()
    scripted.link.accept()
    const deleted = codeOf(client.delete('/a'))
    const ping = codeOf(client.ping())
    scripted.link.say(refusal(-2, 0, 0))
    expect(await ping).toBe('granted')
    scripted.link.say(refusal(1, 1, 0))
    expect(await deleted).toBe('granted')
  })

  test('an error number nobody knows is told with its number', async () => {
    const { scripted, client } = begin()
    scripted.link.accept()
    const failed = client.delete('/a').catch((error: unknown) => error)
    scripted.link.say(refusal(1, 1, -999))
    expect(await failed).toMatchObject({
      code: 'Unknown',
      message: 'Unknown: delete /a: error -999',
    })
  })

  test('requestTimeoutMs: given up, and its late reply disturbs nobody', async () => {
    const { scripted, client } = begin({ requestTimeoutMs: 500 })
    scripted.link.accept()
    const events: WatchEvent[] = []
    const slow = codeOf(client.get('/slow', { watch: (one) => events.push(one) }))
    vi.advanceTimersByTime(500)
    expect(await slow).toBe('RequestTimeout')
    const next = codeOf(client.delete('/a'))
    scripted.link.say(reply('getData', 1, 1, { data: null, stat }), refusal(2, 2, 0))
    scripted.link.say(event('dataChanged', '/slow'))
    expect(await next).toBe('granted')
    expect(events).toEqual([])
  })

  test('requestTimeoutMs: what was given up while waiting is never sent', async () => {
    const { scripted, client } = begin({ requestTimeoutMs: 500 })
    const waiting = codeOf(client.delete('/a'))
    vi.advanceTimersByTime(500)
    expect(await waiting).toBe('RequestTimeout')
    scripted.link.accept()
    await settle()
    expect(scripted.link.asked).toEqual([])
  })
})
