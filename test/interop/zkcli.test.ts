import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Conversation } from '../support/conversation.ts'
import { isInstalled, zkCli } from '../support/programs.ts'
import { targets, type Target } from './targets.ts'

const isHere = isInstalled.zkCli()
if (!isHere) console.warn('left out: zkCli.sh is not here (Debian package zookeeper)')

describe.skipIf(!isHere).each(targets)('zkCli.sh against $name', ({ start }) => {
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

  const connect = async (member: number): Promise<Conversation> => {
    const talk = new Conversation(zkCli, ['-server', `127.0.0.1:${target.zkPorts[member - 1]}`])
    open.push(talk)
    await talk.hear(/state:SyncConnected type:None path:null/)
    return talk
  }

  it('creates, reads, changes, lists and deletes', async () => {
    const talk = await connect(1)
    await talk.ask('create /cli one', /Created \/cli\n/)
    await talk.ask('create -e /cli/e short', /Created \/cli\/e\n/)
    await talk.ask('create -s /cli/s- seq', /Created \/cli\/s-0000000001\n/)
    await talk.ask('create -e -s /cli/es- both', /Created \/cli\/es-0000000002\n/)
    await talk.ask('get /cli', /\none\n/)
    await talk.ask('set /cli two', /› set/)
    await talk.ask('get /cli', /\ntwo\n/)
    await talk.ask('ls /cli', /\n\[e, es-0000000002, s-0000000001\]\n/)
    const stat = (await talk.ask('stat /cli', /cZxid = 0x[^]*?numChildren = .*\n/))[0]
    expect(stat.replaceAll(/(0x|time = ).*/g, '$1…')).toBe(
      [
        'cZxid = 0x…',
        'ctime = …',
        'mZxid = 0x…',
        'mtime = …',
        'pZxid = 0x…',
        'cversion = 3',
        'dataVersion = 1',
        'aclVersion = 0',
        'ephemeralOwner = 0x…',
        'dataLength = 3',
        'numChildren = 3',
        '',
      ].join('\n'),
    )
    await talk.ask('getAcl /cli', /'world,'anyone\n: cdrwa\n/)
    await talk.ask('sync /cli', /Sync is OK/)
    await talk.ask('create /cli again', /Node already exists: \/cli/)
    await talk.ask('create /cli/e/below x', /Ephemerals cannot have children: \/cli\/e\/below/)
    await talk.ask('delete /cli', /Node not empty: \/cli/)
    await talk.ask('set -v 7 /cli x', /version No is not valid : \/cli/)
    await talk.ask('delete /cli/e', /› delete/)
    await talk.ask('get /cli/e', /Node does not exist: \/cli\/e/)
    await talk.ask('deleteall /cli', /› deleteall/)
    await talk.ask('ls /', /\n\[zookeeper\]\n/)
    talk.say('quit')
    expect(await talk.ended()).toBe(0)
  })

  it('hears of a change that a client of another member makes', async () => {
    const [watcher, writer] = await Promise.all([connect(1), connect(2)])
    await watcher.ask('create /watched before', /Created \/watched\n/)
    await watcher.ask('get -w /watched', /\nbefore\n/)
    // What the second member shows may be a moment old, unless it is asked to catch up.
    await writer.ask('sync /watched', /Sync is OK/)
    await writer.ask('set /watched after', /› set/)
    await watcher.hear(/state:SyncConnected type:NodeDataChanged path:\/watched/)
    await watcher.ask('get /watched', /\nafter\n/)
    await watcher.ask('ls -w /watched', /\n\[\]\n/)
    await writer.ask('create -e /watched/child', /Created \/watched\/child\n/)
    await watcher.hear(/state:SyncConnected type:NodeChildrenChanged path:\/watched\n/)
    await watcher.ask('stat -w /watched/child', /numChildren = 0\n/)
    writer.say('quit')
    await watcher.hear(/state:SyncConnected type:NodeDeleted path:\/watched\/child\n/)
    await watcher.ask('delete /watched', /› delete/)
    watcher.say('quit')
    expect(await watcher.ended()).toBe(0)
  })
})
