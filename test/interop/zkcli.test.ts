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

  it('does the rest of its commands', async () => {
    const talk = await connect(1)
    await talk.ask('version', /ZooKeeper CLI version: 3\.8\.0/)
    await talk.ask('create /rest', /Created \/rest\n/)
    await talk.ask('create -c /rest/c', /Created \/rest\/c\n/)
    await talk.ask('create /rest/c/below data', /Created \/rest\/c\/below\n/)
    await talk.ask('create -e /rest/e', /Created \/rest\/e\n/)
    await talk.ask('ls -R /rest', /\n\/rest\n\/rest\/c\n\/rest\/e\n\/rest\/c\/below\n/)
    await talk.ask('ls -s /rest', /\n\[c, e\]\ncZxid = 0x[0-9a-f]+\n[^]*?numChildren = 2\n/)
    await talk.ask('get -s /rest/c/below', /\ndata\ncZxid = 0x[0-9a-f]+\n[^]*?dataLength = 4\n/)
    await talk.ask('getAllChildrenNumber /rest', /\n3\n/)
    await talk.ask('getEphemerals /rest', /\n\[\/rest\/e\]\n/)
    await talk.ask('set -s /rest more', /dataVersion = 1\n/)
    await talk.ask('addauth digest bob:pw', /› addauth/)
    await talk.ask('whoami', /digest: bob\n/)
    await talk.ask('setAcl /rest/e auth:bob:rwa', /› setAcl/)
    await talk.ask('getAcl /rest/e', /'digest,'bob:ikIaKsbtGweaHnb\/jKn7OHqbunM=\n: rwa\n/)
    await talk.ask('getAcl -s /rest/e', /aclVersion = 1\n/)
    await talk.ask('addWatch -m PERSISTENT /rest', /› addWatch/)
    talk.say('create /rest/new')
    await talk.hear(/state:SyncConnected type:NodeChildrenChanged path:\/rest\n/)
    await talk.ask('removewatches /rest', /› removewatches[^]*?(removed|Removed)/)
    await talk.ask('config', /server\.1=[^]*?version=[0-9a-f]+\n/)
    await talk.ask('history', /\d+ - config\n/)
    await talk.ask('reconfig -remove 3', /reconfig is disabled|Reconfig is disabled/i)
    await talk.ask('deleteall /rest', /› deleteall/)
    await talk.ask('stat /rest', /Node does not exist: \/rest/)
    await talk.ask('ls /', /zookeeper\]\n/) // its exit code is that of its last command
    talk.say('quit')
    expect(await talk.ended()).toBe(0)
  })

  it('sets a quota, lists what it counts, and deletes it', async () => {
    const talk = await connect(1)
    await talk.ask('create /quota', /Created \/quota\n/)
    await talk.ask('create /quota/child 12345', /Created \/quota\/child\n/)
    await talk.ask('setquota -n 3 /quota', /› setquota/)
    await talk.ask(
      'listquota /quota',
      /Output quota for \/quota count=3,bytes=-1L?[^\n]*\nOutput stat for \/quota count=2,bytes=5\n/,
    )
    await talk.ask('delquota /quota', /› delquota/)
    await talk.ask('listquota /quota', /quota for \/quota does not exist\./)
    await talk.ask('deleteall /quota', /› deleteall/)
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
