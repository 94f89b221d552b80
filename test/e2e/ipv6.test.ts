/** Ports that listen to IPv6 and IPv4: who comes by which is who `ip` ACLs mean. */
import { networkInterfaces } from 'node:os'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Client, connect } from '../../src/client/index.ts'
import { tcp } from '../../src/client/node-tcp.ts'
import { type Ensemble, startEnsemble } from '../support/ensemble.ts'

const hasV6 = Object.values(networkInterfaces()).some((of) =>
  of?.some(({ address }) => address === '::1'),
)

describe.skipIf(!hasV6)('clients of a port that listens to ::', () => {
  let ensemble: Ensemble
  let [v6, v4]: Client[] = []
  beforeAll(async () => {
    ensemble = await startEnsemble({ members: 1, env: { BIND_ADDRESS: '::' } })
    const at = (host: string): Client =>
      connect(`tcp://${host}:${ensemble.zkPorts[0]}`, { transport: tcp })
    v6 = at('[::1]')
    v4 = at('127.0.0.1')
  })
  afterAll(async () => {
    await v6?.close()
    await v4?.close()
    await ensemble?.stop()
  })

  it('have the address they come from', async () => {
    expect(await v6?.whoAmI()).toMatchObject([{ scheme: 'ip', user: '::1' }])
    expect(await v4?.whoAmI()).toMatchObject([{ scheme: 'ip', user: '127.0.0.1' }])
  })

  it.each([
    ['::1', true, false],
    ['::/64', true, false],
    ['0:0:0:0:0:0:0:1/128', true, false],
    ['fe80::/10', false, false],
    ['127.0.0.1', false, true],
    ['127.0.0.0/8', false, true],
  ])('ip:%s lets ::1 in: %s, 127.0.0.1: %s', async (id, sixth, fourth) => {
    const acl = [{ perms: 31, id: { scheme: 'ip', id } }]
    const path = `/${id.replaceAll('/', '-')}`
    await v6?.create(path, { acl })
    const mayRead = (client: Client | undefined): Promise<boolean> =>
      client?.get(path).then(
        () => true,
        () => false,
      ) ?? Promise.resolve(false)
    await v4?.sync()
    expect([await mayRead(v6), await mayRead(v4)]).toEqual([sixth, fourth])
  })
})
