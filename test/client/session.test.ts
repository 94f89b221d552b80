/** One session over many links, against a server by hand and a clock by hand. */
import { describe, expect, test, vi } from 'vitest'
import type { WatchEvent } from '../../src/client/index.ts'
import { begin, codeOf, stopTheClock } from './by-hand.ts'
import { event, password, refusal, reply, settle, stat } from './scripted.ts'

stopTheClock()

describe('handshake', () => {
  test('a new session asks with nothing, and keeps what it is given', async () => {
    const { scripted, client } = begin({ timeoutMs: 7000, member: 2 })
    expect(scripted.link.url).toBe('ws://host/session?member=2')
    scripted.link.accept({ timeoutMs: 6000, sessionId: 0x7fn })
    expect(scripted.link.hello).toEqual({
      protocolVersion: 0,
      lastZxidSeen: 0,
      timeOut: 7000,
      sessionId: 0n,
      passwd: new Uint8Array(16),
      readOnly: false,
    })
    await client.ready()
    expect(client.session).toEqual({ id: 0x7fn, password, timeoutMs: 6000 })
  })

  test('a given session is resumed, its id in the address', async () => {
    const session = { id: -2n, password }
    const { scripted } = begin({ session }, 'ws://host/session?member=1')
    expect(scripted.link.url).toBe('ws://host/session?member=1&session=0xfffffffffffffffe')
    scripted.link.accept({ sessionId: -2n })
    expect(scripted.link.hello).toMatchObject({ sessionId: -2n, passwd: password })
  })

  test('a zeroed answer: expired, and everything that waits is told', async () => {
    const { scripted, client, states } = begin({ session: { id: 1n, password } })
    const waiting = codeOf(client.get('/a'))
    const ready = codeOf(client.ready())
    scripted.link.refuse()
    expect(await waiting).toBe('SessionExpired')
    expect(await ready).toBe('SessionExpired')
    expect(await codeOf(client.get('/a'))).toBe('SessionExpired')
    expect(states).toEqual(['expired'])
    expect(scripted.link.aborted).toBe(true)
    await client.close()
    vi.advanceTimersByTime(60_000)
    expect(scripted.links).toHaveLength(1)
  })

  test('a server that does not answer is given up for the next', () => {
    const { scripted } = begin({ timeoutMs: 8000 }, ['ws://a/session', 'ws://b/session'])
    scripted.link.open()
    vi.advanceTimersByTime(4000)
    expect(scripted.links.map(({ aborted }) => aborted)).toEqual([true])
    vi.advanceTimersByTime(50)
    expect(scripted.links.map(({ url }) => url)).toEqual(['ws://a/session', 'ws://b/session'])
  })

  test('an answer that is none ends the link', () => {
    const { scripted } = begin()
    scripted.link.open()
    scripted.link.say(refusal(0, 0, -119))
    expect(scripted.link.aborted).toBe(true)
  })

  test('no url, or one that is none, throws at once', () => {
    expect(() => begin({}, [])).toThrow(TypeError)
    expect(() => begin({}, 'nowhere')).toThrow(TypeError)
  })
})

describe('a lost link', () => {
  test('rejects what is under way, keeps what comes later, resumes', async () => {
    const { scripted, client, states } = begin()
    scripted.link.accept()
    const underWay = codeOf(client.delete('/a'))
    await settle()
    scripted.link.end()
    const later = codeOf(client.delete('/b'))
    expect(await underWay).toBe('ConnectionLoss')
    expect(client.state).toBe('suspended')
    vi.advanceTimersByTime(50)
    expect(scripted.links).toHaveLength(2)
    expect(scripted.link.url).toBe('ws://host/session?session=0x5')
    scripted.link.accept()
    expect(scripted.link.hello).toMatchObject({ sessionId: 5n, passwd: password })
    await settle()
    scripted.link.say(refusal(2, 1, 0))
    expect(await later).toBe('granted')
    expect(states).toEqual(['connected', 'suspended', 'connected'])
  })

  test('may lead to the news that the session is over', async () => {
    const { scripted, client, states } = begin()
    scripted.link.accept()
    const events: WatchEvent[] = []
    void client.get('/a', { watch: (one) => events.push(one) })
    scripted.link.say(reply('getData', 1, 1, { data: null, stat }))
    scripted.link.end()
    const later = codeOf(client.delete('/b'))
    vi.advanceTimersByTime(50)
    scripted.link.refuse()
    expect(await later).toBe('SessionExpired')
    expect(events).toEqual([{ type: 'sessionEnded', path: '/a' }])
    expect(states).toEqual(['connected', 'suspended', 'expired'])
  })

  test('is sought again with pauses that double, until one is found', () => {
    const { scripted } = begin()
    const pauses: number[] = []
    for (let tries = 0; tries < 5; tries++) {
      const before = performance.now()
      const { length } = scripted.links
      scripted.link.end()
      while (scripted.links.length === length) vi.advanceTimersByTime(1)
      pauses.push(performance.now() - before)
    }
    expect(pauses).toEqual([50, 100, 200, 400, 400])
    scripted.link.accept().end()
    vi.advanceTimersByTime(50)
    expect(scripted.links).toHaveLength(7)
  })

  test('the last zxid of a reply or event goes along', async () => {
    const { scripted, client } = begin()
    scripted.link.accept()
    void client.delete('/a')
    scripted.link.say(refusal(1, 40, 0), event('created', '/x', 44), refusal(-2, -1, 0))
    scripted.link.end()
    vi.advanceTimersByTime(50)
    scripted.link.accept()
    expect(scripted.link.hello.lastZxidSeen).toBe(44)
  })

  test('watches are armed again before anything else is asked', async () => {
    const { scripted, client } = begin()
    scripted.link.accept()
    const watch = () => {}
    void client.get('/data', { watch })
    void client.exists('/there', { watch })
    void client.exists('/missing', { watch })
    void client.getChildren('/parent', { watch })
    void client.getChildren2('/parent', { watch })
    void client.get('/fired', { watch })
    scripted.link.say(
      reply('getData', 1, 70, { data: null, stat }),
      reply('exists', 2, 70, { stat }),
      refusal(3, 70, -101),
      reply('getChildren', 4, 71, { children: [] }),
      reply('getChildren2', 5, 71, { children: [], stat }),
      reply('getData', 6, 72, { data: null, stat }),
      event('dataChanged', '/fired', 73),
    )
    scripted.link.end()
    void client.delete('/later').catch(() => {})
    vi.advanceTimersByTime(50)
    scripted.link.accept()
    await settle()
    expect(scripted.link.asked.map(({ xid, operation }) => [xid, operation])).toEqual([
      [-8, 'setWatches'],
      [7, 'delete'],
    ])
    expect(scripted.link.setWatches).toEqual([
      {
        // Of the last reply: of one multi's events at zxid 73 a second may have been lost with the link.
        relativeZxid: 72,
        dataWatches: ['/data', '/there'],
        existWatches: ['/missing'],
        childWatches: ['/parent'],
      },
    ])
  })

  test('a refused setWatches ends the link', async () => {
    const { scripted, client } = begin()
    scripted.link.accept()
    void client.get('/a', { watch: () => {} })
    scripted.link.say(reply('getData', 1, 1, { data: null, stat })).end()
    vi.advanceTimersByTime(50)
    scripted.link.accept().say(refusal(-8, 1, -5))
    expect(scripted.link.aborted).toBe(true)
    expect(client.state).toBe('suspended')
  })
})

describe('liveness', () => {
  test('a silent link is asked after a third of the timeout and dead after two', () => {
    const { scripted, client } = begin()
    const { link } = scripted
    link.accept({ timeoutMs: 9000 })
    vi.advanceTimersByTime(2999)
    expect(link.pings).toBe(0)
    vi.advanceTimersByTime(1)
    expect(link.pings).toBe(1)
    vi.advanceTimersByTime(2999)
    expect(client.state).toBe('connected')
    vi.advanceTimersByTime(1)
    expect(client.state).toBe('suspended')
    expect(link.aborted).toBe(true)
  })

  test('an answered one lives on', () => {
    const { scripted, client } = begin()
    scripted.link.accept({ timeoutMs: 9000 })
    for (let second = 0; second < 60; second++) {
      const before = scripted.link.pings
      vi.advanceTimersByTime(1000)
      if (scripted.link.pings > before) scripted.link.pong()
    }
    expect(client.state).toBe('connected')
    expect(scripted.link.pings).toBe(20)
  })

  test('one that only speaks is asked, for the server must hear us too', () => {
    const { scripted } = begin()
    scripted.link.accept({ timeoutMs: 9000 })
    for (let second = 0; second < 9; second++) {
      vi.advanceTimersByTime(1000)
      scripted.link.say(event('created', '/x'))
    }
    expect(scripted.link.pings).toBe(3)
  })

  test('one that only listens is asked, and then dead', () => {
    const { scripted, client } = begin()
    scripted.link.accept({ timeoutMs: 9000 })
    for (let second = 0; second < 6; second++) {
      void client.sync().catch(() => {})
      vi.advanceTimersByTime(1000)
    }
    expect(scripted.links[0]).toMatchObject({ pings: 1, aborted: true })
  })
})

describe('the end', () => {
  test('close goes behind what was asked, and nothing after it', async () => {
    const { scripted, client, states } = begin()
    scripted.link.accept()
    const asked = codeOf(client.delete('/a'))
    const closed = client.close()
    expect(await codeOf(client.delete('/b'))).toBe('SessionClosed')
    await settle()
    expect(scripted.link.asked.map(({ operation }) => operation)).toEqual([
      'delete',
      'closeSession',
    ])
    scripted.link.say(refusal(1, 1, 0), refusal(2, 2, 0))
    scripted.link.end()
    expect(await asked).toBe('granted')
    await Promise.all([closed, client.close()])
    expect(states).toEqual(['connected', 'closed'])
  })

  test('close on a link that dies is closed all the same, and no link follows', async () => {
    const { scripted, client } = begin()
    scripted.link.accept()
    const closed = client.close()
    await settle()
    scripted.link.end()
    await closed
    expect(client.state).toBe('closed')
    vi.advanceTimersByTime(60_000)
    expect(scripted.links).toHaveLength(1)
  })

  test('leave asks nothing of the server and rejects what is under way', async () => {
    const { scripted, client } = begin()
    scripted.link.accept()
    const underWay = codeOf(client.delete('/a'))
    client.leave()
    client.leave()
    expect(await underWay).toBe('ConnectionLoss')
    expect(await codeOf(client.get('/a'))).toBe('SessionClosed')
    expect(client.state).toBe('closed')
    expect(scripted.link.aborted).toBe(true)
  })
})
