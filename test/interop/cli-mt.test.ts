import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Conversation } from '../support/conversation.ts'
import { cliMt, isInstalled } from '../support/programs.ts'
import { targets, type Target } from './targets.ts'

const isHere = isInstalled.cliMt()
if (!isHere) console.warn('left out: cli_mt is not here (Debian package zookeeper-bin)')

describe.skipIf(!isHere).each(targets)('cli_mt, the C client, against $name', ({ start }) => {
  let target: Target
  let open: Conversation[] = []

  beforeAll(async () => {
    target = await start()
  })
  afterEach(() => {
    for (const talk of open) talk.kill()
    open = []
  })
  afterAll(() => target.stop())

  const connect = async (hosts: string): Promise<Conversation> => {
    const talk = new Conversation(cliMt, [hosts])
    open.push(talk)
    await talk.hear(/Got a new session id: 0x[0-9a-f]+/)
    return talk
  }

  it('creates, reads, watches, changes and deletes', async () => {
    const talk = await connect(target.hosts)
    await talk.ask('create /c', /\[\/c\]: rc = 0\n\tname = \/c\n/)
    await talk.ask('create +e /c/e', /\[\/c\/e\]: rc = 0\n\tname = \/c\/e\n/)
    await talk.ask('create +s /c/s', /\tname = \/c\/s0000000001\n/)
    await talk.ask('create2 +es /c/es', /\tname = \/c\/es0000000002\n/)
    await talk.ask('set /c hello', /\/c: rc = 0/)
    await talk.ask('get /c', /\/c: rc = 0\n value_len = 5\nhello\nStat:[^]*?version=1\taversion=0/)
    await talk.ask('ls /c', /\/c: rc = 0\n(\t(e|es0000000002|s0000000001)\n){3}/)
    talk.say('wget /c') // prints nothing when it goes well
    await talk.ask('set /c bye', /Watcher CHANGED_EVENT state = CONNECTED_STATE for path \/c\n/)
    await talk.ask('wexists /c/x', /Error -101 for \/c\/x/)
    await talk.ask('create /c/x', /Watcher CREATED_EVENT state = CONNECTED_STATE for path \/c\/x\n/)
    await talk.ask('delete /c', /\/c: rc = -111\n/)
    await talk.ask('create /c', /\[\/c\]: rc = -110\n/)
    for (const path of ['/c/x', '/c/e', '/c/s0000000001', '/c/es0000000002', '/c']) {
      await talk.ask(`delete ${path}`, new RegExp(`${path}: rc = 0\n`))
    }
    await talk.ask('get /c', /\/c: rc = -101\n/)
    talk.say('quit')
    expect(await talk.ended()).toBe(0)
  })

  it('ends a session whose ephemerals then vanish for others', async () => {
    const [first, second] = target.zkPorts.map((port) => `127.0.0.1:${port}`)
    const [owner, other] = await Promise.all([connect(first ?? ''), connect(second ?? '')])
    await owner.ask('create +e /c-owned', /\[\/c-owned\]: rc = 0\n/)
    await other.ask('sync /c-owned', /rc = 0/)
    await other.ask('get /c-owned', /ephemeralOwner = [1-9a-f]/)
    other.say('wexists /c-owned') // prints nothing when it goes well
    await other.ask('sync /c-owned', /rc = 0/)
    owner.say('quit')
    await other.hear(/Watcher DELETED_EVENT state = CONNECTED_STATE for path \/c-owned\n/)
    other.say('quit')
  })
})
