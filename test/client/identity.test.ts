/** Who a client says it is, and what kind of server it takes, against a server by hand and a clock by hand. */
import { describe, expect, test, vi } from 'vitest'
import { connect } from '../../src/client/index.ts'
import { begin, codeOf, stopTheClock } from './by-hand.ts'
import { refusal, reply, settle, stat } from './scripted.ts'

stopTheClock()

describe('addAuth', () => {
  test('goes first on every link, then the watches, then what waits', async () => {
    const { scripted, client } = begin()
    const bob = codeOf(client.addAuth('digest', 'bob:pw'))
    const again = codeOf(client.addAuth('digest', 'bob:pw'))
    void client.exists('/a', { watch: () => {} }).catch(() => {})
    void client.addWatch('/b', 'persistentRecursive', () => {}).catch(() => {})
    scripted.link.accept()
    scripted.link.say(refusal(-4, 0, 0), refusal(-4, 0, 0))
    expect([await bob, await again]).toEqual(['granted', 'granted'])
    scripted.link.say(reply('exists', 1, 7, { stat }), reply('addWatch', 2, 7, { err: 0 }))
    void client.addAuth('digest', 'ann:pw').catch(() => {})
    await settle()
    scripted.link.end()
    void client.delete('/later').catch(() => {})
    vi.advanceTimersByTime(50)
    scripted.link.accept()
    await settle()
    expect(scripted.link.asked.map(({ xid, operation }) => [xid, operation])).toEqual([
      [-4, 'auth'],
      [-4, 'auth'],
      [-4, 'auth'],
      [-8, 'setWatches2'],
      [3, 'delete'],
    ])
    expect(scripted.link.setWatches2).toEqual([
      {
        relativeZxid: 7,
        dataWatches: ['/a'],
        existWatches: [],
        childWatches: [],
        persistentWatches: [],
        persistentRecursiveWatches: ['/b'],
      },
    ])
  })

  test('what was granted and is said again is kept once', async () => {
    const { scripted, client } = begin()
    scripted.link.accept()
    for (let times = 0; times < 3; times++) {
      const said = codeOf(client.addAuth('digest', 'bob:pw'))
      scripted.link.say(refusal(-4, 0, 0))
      expect(await said).toBe('granted')
    }
    scripted.link.end()
    vi.advanceTimersByTime(50)
    scripted.link.accept()
    await settle()
    expect(scripted.link.asked).toHaveLength(1)
  })

  test('a lost link is no answer: it is granted on the next one', async () => {
    const { scripted, client } = begin()
    scripted.link.accept()
    const proved = codeOf(client.addAuth('digest', 'bob:pw'))
    await settle()
    scripted.link.end()
    vi.advanceTimersByTime(50)
    scripted.link.accept()
    scripted.link.say(refusal(-4, 0, 0))
    expect(await proved).toBe('granted')
  })

  test('its answer may overtake those of requests', async () => {
    const { scripted, client } = begin()
    scripted.link.accept()
    const deleted = codeOf(client.delete('/a'))
    const proved = codeOf(client.addAuth('digest', 'bob:pw'))
    scripted.link.say(refusal(-4, 0, 0), refusal(1, 1, 0))
    expect([await deleted, await proved]).toEqual(['granted', 'granted'])
  })

  test('refused on a later link it ends the client too, and no link follows', async () => {
    const { scripted, client, states } = begin()
    scripted.link.accept()
    const proved = codeOf(client.addAuth('digest', 'bob:pw'))
    scripted.link.say(refusal(-4, 0, 0))
    expect(await proved).toBe('granted')
    scripted.link.end()
    const later = codeOf(client.delete('/a'))
    vi.advanceTimersByTime(50)
    scripted.link.accept()
    scripted.link.say(refusal(-4, 0, -115))
    expect(await later).toBe('ConnectionLoss')
    expect(await codeOf(client.delete('/a'))).toBe('AuthFailed')
    expect(states).toEqual(['connected', 'suspended', 'connected', 'authFailed'])
    vi.advanceTimersByTime(60_000)
    expect(scripted.links).toHaveLength(2)
  })

  test('in a client that is over it is refused, in one that ends it is told', async () => {
    const { client } = begin()
    const waiting = codeOf(client.addAuth('digest', 'bob:pw'))
    client.leave()
    expect(await waiting).toBe('SessionClosed')
    expect(await codeOf(client.addAuth('digest', 'bob:pw'))).toBe('SessionClosed')
  })
})

describe('read-only servers', () => {
  test('are asked for by name only', () => {
    const asked = [{}, { canBeReadOnly: true }].map((options) => {
      const { scripted } = begin(options)
      return scripted.link.accept().hello.readOnly
    })
    expect(asked).toEqual([false, true])
  })

  test('isReadOnly tells of the server there is now', async () => {
    const { scripted, client } = begin({ canBeReadOnly: true })
    expect(client.isReadOnly).toBe(false)
    scripted.link.accept({ readOnly: true })
    expect(client.isReadOnly).toBe(true)
    const written = codeOf(client.set('/a', 'x'))
    scripted.link.say(refusal(1, 1, -119))
    expect(await written).toBe('NotReadOnly')
    scripted.link.end()
    expect(client.isReadOnly).toBe(false)
    expect(scripted.links).toHaveLength(1)
    vi.advanceTimersByTime(50)
    scripted.link.accept()
    expect(client.isReadOnly).toBe(false)
  })

  test('what one began no other server knows: a new session follows, and watches are kept', async () => {
    const { scripted, client, states } = begin({ canBeReadOnly: true })
    scripted.link.accept({ readOnly: true, sessionId: 9n })
    void client.get('/a', { watch: () => {} })
    scripted.link.say(reply('getData', 1, 3, { data: null, stat }))
    scripted.link.end()
    vi.advanceTimersByTime(50)
    expect(scripted.link.url).toBe('ws://host/session')
    scripted.link.accept({ sessionId: 10n })
    await settle()
    expect(scripted.link.hello).toMatchObject({ sessionId: 0n, lastZxidSeen: 3 })
    expect(scripted.link.setWatches).toHaveLength(1)
    expect(client.session?.id).toBe(10n)
    scripted.link.end()
    vi.advanceTimersByTime(100)
    scripted.link.accept({ sessionId: 10n, readOnly: true })
    expect(scripted.link.hello.sessionId).toBe(10n)
    scripted.link.end()
    vi.advanceTimersByTime(100)
    expect(scripted.link.url).toBe('ws://host/session?session=0xa')
    await settle()
    expect(states.at(-1)).toBe('suspended')
  })
})

describe('beside a read-only server', () => {
  function beside() {
    const begun = begin({ canBeReadOnly: true, timeoutMs: 8000 }, ['ws://a/s', 'ws://b/s'])
    const readOnly = begun.scripted.link.accept({ readOnly: true, sessionId: 9n })
    return { ...begun, readOnly }
  }

  test('one that also writes is sought, with pauses that double, and takes over', async () => {
    const { scripted, client, states, readOnly } = beside()
    for (const pause of [50, 100, 200]) {
      const { length } = scripted.links
      vi.advanceTimersByTime(pause - 1)
      expect(scripted.links).toHaveLength(length)
      vi.advanceTimersByTime(1)
      expect(scripted.links).toHaveLength(length + 1)
      scripted.link.open()
      expect(scripted.link.hello).toMatchObject({ readOnly: false, sessionId: 0n })
      scripted.link.end()
    }
    expect(scripted.links.map(({ url }) => url)).toEqual([
      'ws://a/s',
      'ws://b/s',
      'ws://a/s',
      'ws://b/s',
    ])
    expect(client.isReadOnly).toBe(true)
    const under = codeOf(client.get('/a'))
    vi.advanceTimersByTime(400)
    scripted.link.accept({ sessionId: 10n })
    expect(readOnly.aborted).toBe(true)
    expect(await under).toBe('ConnectionLoss')
    expect(client.isReadOnly).toBe(false)
    expect(client.session?.id).toBe(10n)
    const written = codeOf(client.delete('/a'))
    await settle()
    scripted.link.say(refusal(2, 1, 0))
    expect(await written).toBe('granted')
    expect(states).toEqual(['connected', 'suspended', 'connected'])
    const { length } = scripted.links
    vi.advanceTimersByTime(2000)
    expect(scripted.links).toHaveLength(length)
  })

  test('one that does not answer is given up, and the search goes on', () => {
    const { scripted, client } = beside()
    vi.advanceTimersByTime(50)
    const silent = scripted.link
    silent.open()
    for (let second = 0; second < 4; second++) {
      vi.advanceTimersByTime(1000)
      scripted.links[0]?.pong()
    }
    expect(silent.aborted).toBe(true)
    vi.advanceTimersByTime(100)
    expect(scripted.links).toHaveLength(3)
    expect(client.state).toBe('connected')
  })

  test('what a seeker hears does not keep a dead link alive', () => {
    const { scripted, client, readOnly } = beside()
    vi.advanceTimersByTime(50)
    scripted.link.open()
    for (let second = 0; second < 6; second++) {
      vi.advanceTimersByTime(1000)
      if (!scripted.link.aborted) scripted.link.pong()
    }
    expect(readOnly.aborted).toBe(true)
    expect(client.state).toBe('suspended')
  })

  test('the search ends with the link it stands beside, and with the client', async () => {
    const { scripted, client, readOnly } = beside()
    vi.advanceTimersByTime(50)
    const seeker = scripted.link
    readOnly.end()
    expect(seeker.aborted).toBe(true)
    vi.advanceTimersByTime(50)
    expect(scripted.links).toHaveLength(3)
    scripted.link.accept({ readOnly: true })
    vi.advanceTimersByTime(100)
    client.leave()
    expect(scripted.link.aborted).toBe(true)
    vi.advanceTimersByTime(60_000)
    expect(scripted.links).toHaveLength(4)
  })
})

test.each(['app', '/app/', '//', ''])('%j is no chroot', (chroot) => {
  expect(() => connect('ws://host', { chroot })).toThrow(TypeError)
})
