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

test.each(['app', '/app/', '//', ''])('%j is no chroot', (chroot) => {
  expect(() => connect('ws://host', { chroot })).toThrow(TypeError)
})
