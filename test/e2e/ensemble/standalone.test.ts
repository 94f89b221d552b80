/** One member alone. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { connect } from '../../../src/client/index.ts'
import { tcp } from '../../../src/client/node-tcp.ts'
import { type Ensemble, startEnsemble } from '../../support/ensemble.ts'
import { fourLetterWord } from '../../support/zookeeper.ts'
import { errorCodes } from '../../../src/core/wire/refusals.ts'
import { Session } from '../conformance/session.ts'

let ensemble: Ensemble
beforeAll(async () => {
  ensemble = await startEnsemble({
    members: 1,
    env: { FOUR_LETTER_WORDS: '*', RECONFIG_ENABLED: 'true' },
  })
})
afterAll(() => ensemble?.stop())

it('Z20 a member alone says that it is standalone', async () => {
  const [port = 0] = ensemble.zkPorts
  const client = connect(`tcp://127.0.0.1:${port}`, { transport: tcp })
  await client.create('/alone', { data: 'x' })
  expect(await fourLetterWord(port, 'srvr')).toMatch(/^Mode: standalone$/m)
  expect(await fourLetterWord(port, 'mntr')).toMatch(/^zk_server_state\tstandalone$/m)
  await ensemble.kill9()
  await ensemble.start()
  expect(new TextDecoder().decode((await client.get('/alone')).data ?? undefined)).toBe('x')
  expect((await ensemble.members()).map(({ role }) => role)).toEqual(['standalone'])
  await client.close()
})

it('G08 a member alone does not know reconfig', async () => {
  const session = await Session.open(ensemble.zkPorts[0] ?? 0)
  const request = { joiningServers: null, leavingServers: '1', newMembers: null, curConfigId: -1 }
  expect(await session.err('reconfig', request)).toBe(errorCodes.Unimplemented)
  expect(await session.err('exists', { path: '/', watch: false })).toBe(0)
  await session.close()
})
