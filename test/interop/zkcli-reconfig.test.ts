/** The members change by zkCli.sh, ours and those of a real ZooKeeper. */
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connect } from '../../src/client/index.ts'
import { tcp } from '../../src/client/node-tcp.ts'
import { Conversation } from '../support/conversation.ts'
import { type Ensemble, startEnsemble } from '../support/ensemble.ts'
import { isInstalled, zkCli } from '../support/programs.ts'
import { startZooKeeper, type ZooKeeper } from '../support/zookeeper.ts'

const superDigest = `super:${createHash('sha1').update('super:secret').digest('base64')}`
const env = { RECONFIG_ENABLED: 'true', ADVERTISED_HOST: '127.0.0.1', SUPER_DIGEST: superDigest }

describe.skipIf(!isInstalled.zkCli())('zkCli.sh, beside a real ZooKeeper', () => {
  let ensemble: Ensemble
  let apache: ZooKeeper
  const talks: Conversation[] = []

  beforeAll(async () => {
    ensemble = await startEnsemble({ env })
    apache = await startZooKeeper({
      members: 3,
      config: ['reconfigEnabled=true'],
      properties: { 'zookeeper.DigestAuthenticationProvider.superDigest': superDigest },
    })
  })
  afterAll(async () => {
    for (const talk of talks) talk.kill()
    await Promise.all([ensemble.stop(), apache.stop()])
  })

  /** What zkCli prints of a script, with what differs from run to run masked. */
  async function play(port: number, own: (sid: number) => string): Promise<string> {
    const talk = new Conversation(zkCli, ['-server', `127.0.0.1:${port}`])
    talks.push(talk)
    await talk.hear(/state:SyncConnected type:None path:null/)
    const script: [string, RegExp][] = [
      ['reconfig -remove 1', /Insufficient permission : ?/],
      ['addauth digest super:secret', /› addauth/],
      // The first list of the real one has no client addresses: its clients’ port stands elsewhere.
      [`reconfig -members ${[1, 2, 3].map(own).join(',')}`, /version=\w+\n/],
      ['reconfig -v 5 -remove 1', /version No is not valid : ?|BadVersion[^\n]*/],
      [`reconfig -add ${own(1).replace(/;.*/, '')}`, /KeeperErrorCode = BadArguments|not valid/],
      ['config -w', /version=\w+\n/],
      ['reconfig -s -remove 1', /numChildren = 0\n/],
      [`reconfig -add ${own(1).replace('participant', 'observer')}`, /version=\w+\n/],
      ['config -c', /\n\w+ [\d.:,]+\n/],
      [`reconfig -members ${[1, 2, 3].map(own).join(',')}`, /version=\w+\n/],
      ['config -s', /numChildren = 0\n/],
    ]
    for (const [line, answer] of script) await talk.ask(line, answer)
    talk.say('quit')
    await talk.ended()
    return masked(talk.transcript)
  }

  /** An event is printed by another thread of the shell, anywhere between the lines of an answer. */
  const apart = (transcript: string) => {
    const lines = transcript.split('\n')
    const isEvent = (line: string): boolean => /^Watche(r|dEvent)/i.test(line)
    return {
      answers: lines.filter((line) => !isEvent(line)),
      // Of its own end the client tells if its event thread is faster than its exit.
      events: lines.filter((line) => /^WatchedEvent state:(?!Closed)/.test(line)),
    }
  }

  const masked = (transcript: string): string =>
    transcript
      .split('\n')
      .filter((line) =>
        /^(›|Committed|server\.|version=|WATCHER|WatchedEvent|\w+ = |Kee|Ins|ver|\w+ 127)/.test(
          line,
        ),
      )
      .map((line) =>
        line
          .replaceAll(/[\w.-]+:\d+:\d+:/g, '…:')
          .replaceAll(/127\.0\.0\.1:\d+/g, 'client')
          .replace(/version=\w+/, 'version=…')
          .replace(/= (0x\w+|\w\w\w \w\w\w .*)$/, '= …')
          .replace(/^\w+ client/, '… client')
          .replace(/dataLength = \d+/, 'dataLength = …'),
      )
      .join('\n')

  it('[G2] prints what it prints there', async () => {
    const linesOf = async (ports: readonly number[]): Promise<(sid: number) => string> => {
      const client = connect(
        ports.map((port) => `tcp://127.0.0.1:${port}`),
        { transport: tcp },
      )
      const { data } = await client.getConfig()
      await client.close()
      const lines = new TextDecoder().decode(data ?? undefined).split('\n')
      return (sid) => {
        const line = lines.find((one) => one.startsWith(`server.${sid}=`)) ?? ''
        return `${line.replace(/;.*/, '')};127.0.0.1:${ports[sid - 1]}`
      }
    }
    const [ours, theirs] = [ensemble.zkPorts, apache.zkPorts]
    const [own, real] = [
      await play(ours[1] ?? 0, await linesOf(ours)),
      await play(theirs[1] ?? 0, await linesOf(theirs)),
    ]
    expect(apart(own)).toEqual(apart(real))
    expect(own).toContain('Committed new configuration:')
  })
})
