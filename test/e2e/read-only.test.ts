/** The client at a server of Apache's that is cut off from its ensemble, and only reads. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connect, type State, type WatchEvent } from '../../src/client/index.ts'
import { tcp } from '../../src/client/node-tcp.ts'
import { isInstalled } from '../support/programs.ts'
import { until } from '../support/until.ts'
import { fourLetterWord, startZooKeeper, type ZooKeeper } from '../support/zookeeper.ts'
import { codeOf } from '../client/by-hand.ts'

describe.skipIf(!isInstalled.zooKeeper())('beside Apache ZooKeeper without a quorum', () => {
  let ensemble: ZooKeeper
  beforeAll(async () => {
    ensemble = await startZooKeeper({
      members: 3,
      properties: { 'readonlymode.enabled': 'true' },
      // A server alone can begin no session that the others know of.
      config: ['localSessionsEnabled=true', 'localSessionsUpgradingEnabled=true'],
    })
  }, 60_000)
  afterAll(() => ensemble?.stop())

  async function leaveTheLastAlone(): Promise<void> {
    await Promise.all([ensemble.kill(0), ensemble.kill(1)])
    await until('the last to notice', async () =>
      (await fourLetterWord(ensemble.zkPorts[2] ?? 0, 'srvr')).includes('Mode: read-only'),
    )
  }

  test('it reads and is refused writes, and goes on when there is a quorum again', async () => {
    const last = `tcp://127.0.0.1:${ensemble.zkPorts[2]}`
    const options = { transport: tcp, timeoutMs: 10_000 }
    const writer = connect(last, options)
    await writer.create('/a', { data: 'known' })
    await writer.close()
    await leaveTheLastAlone()

    const client = connect(last, { ...options, canBeReadOnly: true, connectTimeoutMs: 2000 })
    const states: State[] = []
    client.onState((state) => states.push(state))
    await client.ready()
    expect(client.isReadOnly).toBe(true)
    expect(new TextDecoder().decode((await client.get('/a')).data ?? undefined)).toBe('known')
    expect(await codeOf(client.set('/a', 'x'))).toBe('NotReadOnly')
    expect(await codeOf(client.sync())).toBe('NotReadOnly')
    expect(await client.getChildren('/')).toContain('a')
    const events: WatchEvent[] = []
    await client.get('/a', { watch: (event) => void events.push(event) })

    ensemble.start(0)
    ensemble.start(1)
    await until('a server that writes', () => client.state === 'connected' && !client.isReadOnly)
    await until('a write', () => client.set('/a', 'again').then(() => true))
    await until('its event', () => events.length > 0)
    expect(events).toEqual([{ type: 'dataChanged', path: '/a' }])
    expect(states.at(-1)).toBe('connected')
    expect(states).not.toContain('expired')
    await client.close()
  }, 90_000)

  test('who did not ask for it is not served by one', async () => {
    await leaveTheLastAlone()
    const last = `tcp://127.0.0.1:${ensemble.zkPorts[2]}`
    const options = { transport: tcp, timeoutMs: 10_000, connectTimeoutMs: 2000 }
    const reader = connect(last, { ...options, canBeReadOnly: true })
    await reader.ready()
    expect(reader.isReadOnly).toBe(true)
    const writer = connect(last, { ...options, requestTimeoutMs: 1500 })
    expect(await codeOf(writer.get('/a'))).toBe('RequestTimeout')
    expect(writer.state).toBe('connecting')
    await Promise.all([reader.close(), writer.close()])
  }, 90_000)
})
