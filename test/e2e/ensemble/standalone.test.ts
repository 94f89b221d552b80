/** One member alone. */
import { expect, it } from 'vitest'
import { connect } from '../../../src/client/index.ts'
import { tcp } from '../../../src/client/node-tcp.ts'
import { startEnsemble } from '../../support/ensemble.ts'
import { fourLetterWord } from '../../support/zookeeper.ts'

it('Z20 a member alone says that it is standalone', async () => {
  const ensemble = await startEnsemble({ members: 1, env: { FOUR_LETTER_WORDS: '*' } })
  try {
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
  } finally {
    await ensemble.stop()
  }
})
