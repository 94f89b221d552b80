/** Curator by default follows /zookeeper/config: what that names must be addresses of members, before and after they change. */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Conversation } from '../support/conversation.ts'
import { type Ensemble, startEnsemble } from '../support/ensemble.ts'
import { curatorClassPath, isInstalled } from '../support/programs.ts'
import { until } from '../support/until.ts'

const isHere = isInstalled.curator()
if (!isHere) {
  console.warn(
    'left out: Curator or a JDK is not here (Debian packages libcurator-recipes-java and default-jdk-headless)',
  )
}

describe.skipIf(!isHere)('Curator’s EnsembleTracker', () => {
  let ensemble: Ensemble
  let curator: Conversation | undefined
  beforeAll(async () => {
    const digest = createHash('sha1').update('super:secret').digest('base64')
    ensemble = await startEnsemble({
      env: {
        RECONFIG_ENABLED: 'true',
        ADVERTISED_HOST: '127.0.0.1',
        SUPER_DIGEST: `super:${digest}`,
      },
    })
  })
  afterAll(async () => {
    curator?.kill()
    await ensemble?.stop()
  })

  const addresses = (...sids: readonly number[]): string[] =>
    sids.map((sid) => `127.0.0.1:${ensemble.zkPorts[sid - 1]}`)

  it('G06 goes to the members there are now, and keeps its session and its ephemerals', async () => {
    const script = join(import.meta.dirname, 'clients/CuratorMembers.java')
    // It is told of one member only.
    const talk = new Conversation('java', ['-cp', curatorClassPath, script, ...addresses(1)])
    curator = talk
    // Java compiles the script first.
    await until('it to connect', () => talk.transcript.includes('connected\n'))
    const ask = async (line: string): Promise<string[]> => {
      const answer = /^\w+: servers (\S+) mine true lost false$/m
      const [, servers = ''] = await talk.ask(line, answer)
      return servers.split(',').toSorted()
    }
    /** The tracker hears of a change by its watch. */
    const tracks = async (...sids: readonly number[]): Promise<void> => {
      const wanted = addresses(...sids)
      while ((await ask('look')).join() !== wanted.join()) await ask('write')
    }
    await tracks(1, 2, 3)
    await ask('remove 3')
    await tracks(1, 2)
    // All connections end with the leader: it goes where the list says.
    await ensemble.restartMember((await ensemble.leader()) ?? 1)
    await ask('write')
    await ensemble.formed()
    await ask(`add server.3=member-3:2888:3888:participant;${addresses(3).join()}`)
    await tracks(1, 2, 3)
    await ensemble.restartMember((await ensemble.leader()) ?? 1)
    await ask('write')
    expect(talk.transcript).not.toContain('Exception')
  }, 120_000)
})
