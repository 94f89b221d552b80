import { describe, expect, test } from 'vitest'
import { sequenceSuffix } from '../../src/core/request/prepare.ts'
import { settingRows } from '../../src/core/shared/settings.ts'
import { pathFault } from '../../src/core/tree/path.ts'
import { errorCodes } from '../../src/core/wire/refusals.ts'
import { aclOf, ask, Machine, nobodysAcl, op, session } from './machine.ts'

const noCreate = aclOf(31 & ~4)
const noDelete = aclOf(31 & ~8)
const noWrite = aclOf(31 & ~2)
const noAdmin = aclOf(31 & ~16)
const noRead = aclOf(31 & ~1)

describe('[T1] a path', () => {
  test.each([
    '/',
    '/a',
    '/a/b',
    '/...',
    '/.a',
    '/a.',
    '/a..b',
    '/ ',
    '/a b',
    '/\u00a0',
    '/\uf900',
    '/\uffef',
    '/%2F',
    '/ünïcödé/日本',
    '/~',
  ])('%j is one', (path) => expect(pathFault(path)).toBe(undefined))

  test.each([
    '',
    'a',
    'a/b',
    '/a/',
    '//',
    '//a',
    '/a//b',
    '/.',
    '/..',
    '/a/.',
    '/a/..',
    '/a/./b',
    '/a/../b',
    '/\0',
    '/\u0001',
    '/a\u001fb',
    '/\u007f',
    '/\u009f',
    '/\ud800',
    '/\ud83d\ude00',
    '/\ue000',
    '/\uf8ff',
    '/\ufff0',
    '/\ufffd',
    '/\uffff',
  ])('%j is none', (path) => expect(pathFault(path)).toBeTypeOf('string'))
})

test.each([
  [0, '0000000000'],
  [7, '0000000007'],
  [2_147_483_647, '2147483647'],
  [-2_147_483_648, '-2147483648'],
  [-2_147_483_647, '-2147483647'],
  [-1, '-000000001'],
])('[T2] after %i creations the sequence suffix is %s', (creations, suffix) => {
  expect(sequenceSuffix(creations)).toBe(suffix)
})

/** A tree in which every fault can be met. */
function faulty(): Machine {
  const machine = new Machine().open()
  for (const path of ['/a', '/a/b', '/full', '/full/child']) machine.run(ask.create(path))
  machine.run(ask.create('/ephemeral', 'ephemeral'))
  machine.run(ask.create('/no-create', 'persistent', noCreate))
  machine.run(ask.create('/no-create/child'))
  machine.run(ask.setAcl('/a/b'))
  for (const [path, acl] of [
    ['/no-delete', noDelete],
    ['/no-write', noWrite],
    ['/no-admin', noAdmin],
    ['/no-read', noRead],
  ] as const) {
    machine.run(ask.create(path))
    machine.run(ask.create(`${path}/child`))
    machine.run(ask.setAcl(path, acl))
  }
  machine.run(ask.setAcl('/ephemeral', noCreate))
  machine.run(ask.create('/open-ephemeral', 'ephemeral'))
  return machine
}

describe('[R2] of several faults of a create the first of ZooKeeper’s order answers', () => {
  const emptyAcl: never[] = []
  test.each([
    ['flag before path', ask.createFlags('', 7), 'BadArguments'],
    ['flag before ACL', ask.createFlags('/x', -1, emptyAcl), 'BadArguments'],
    ['flag before parent', ask.createFlags('/none/x', 99), 'BadArguments'],
    ['no slash before ACL', ask.create('x', 'persistent', emptyAcl), 'BadArguments'],
    ['NUL before ACL', ask.create('/x\0', 'persistent', emptyAcl), 'BadArguments'],
    ['ACL before parent', ask.create('/none/x', 'persistent', emptyAcl), 'InvalidAcl'],
    ['ACL before a bad path', ask.create('/a/', 'persistent', emptyAcl), 'InvalidAcl'],
    ['parent before path', ask.create('/a//b'), 'NoNode'],
    ['parent before path', ask.create('/a/./b'), 'NoNode'],
    ['parent before path', ask.create('/a/../b'), 'NoNode'],
    ['permission before path', ask.create('/no-create/'), 'NoAuth'],
    ['permission before existence', ask.create('/no-create/child'), 'NoAuth'],
    ['permission before ephemeral parent', ask.create('/ephemeral/x'), 'NoAuth'],
    ['path before existence', ask.create('//'), 'BadArguments'],
    ['path alone', ask.create('/.'), 'BadArguments'],
    ['path alone', ask.create('/a/'), 'BadArguments'],
    ['path before ephemeral parent', ask.create('/open-ephemeral/..'), 'BadArguments'],
    ['ephemeral parent last', ask.create('/open-ephemeral/x'), 'NoChildrenForEphemerals'],
    ['existence alone', ask.create('/a'), 'NodeExists'],
    ['the root exists', ask.create('/'), 'NodeExists'],
  ])('%s', (_, request, fate) => expect(faulty().fate(request)).toBe(fate))

  test('the suffix is part of the path that is checked', () => {
    const { outcome } = faulty().run(ask.create('/a/', 'persistentSequential'))
    expect(outcome.path).toBe('/a/0000000001')
  })
})

test('[R2] a write that looks at its path first finds a null one bad; for others it is malformed', () => {
  const without = (request: Uint8Array): Uint8Array =>
    Uint8Array.of(...request.subarray(0, 8), 255, 255, 255, 255, ...request.subarray(12))
  const fate = (request: Uint8Array): unknown => faulty().fate(without(request))
  expect(fate(ask.set(''))).toBe('BadArguments')
  expect(fate(ask.setAcl(''))).toBe('BadArguments')
  expect(fate(ask.create(''))).toBe('MarshallingError')
  expect(fate(ask.delete(''))).toBe('MarshallingError')
})

describe('[R2] of several faults of another write', () => {
  test.each([
    ['delete: what has no slash is no path', ask.delete('none', 99), 'BadArguments'],
    ['delete: a bad path names nothing', ask.delete('/none/', 99), 'NoNode'],
    ['delete: the root', ask.delete('/'), 'BadArguments'],
    ['delete: a node of ZooKeeper’s own', ask.delete('/zookeeper/quota', 99), 'BadArguments'],
    ['delete: parent before anything', ask.delete('/none/x', 99), 'NoNode'],
    ['delete: permission of the parent before existence', ask.delete('/no-delete/none'), 'NoAuth'],
    ['delete: permission before version', ask.delete('/no-delete/child', 99), 'NoAuth'],
    ['delete: existence before version', ask.delete('/a/none', 99), 'NoNode'],
    ['delete: version before children', ask.delete('/full', 99), 'BadVersion'],
    ['delete: children last', ask.delete('/full', 0), 'NotEmpty'],
    ['delete: the node’s own ACL does not matter', ask.delete('/no-admin/child'), 'granted'],
    ['set: path before existence', ask.set('/none/'), 'BadArguments'],
    ['set: existence', ask.set('/none', 'x', 99), 'NoNode'],
    ['set: permission before version', ask.set('/no-write', 'x', 99), 'NoAuth'],
    ['set: version', ask.set('/a', 'x', 99), 'BadVersion'],
    ['set: the root has data too', ask.set('/'), 'granted'],
    ['setAcl: path before ACL', ask.setAcl('/a/', []), 'BadArguments'],
    ['setAcl: ACL before existence', ask.setAcl('/none', []), 'InvalidAcl'],
    ['setAcl: existence', ask.setAcl('/none'), 'NoNode'],
    ['setAcl: permission before version', ask.setAcl('/no-admin', nobodysAcl, 99), 'NoAuth'],
    ['setAcl: the ACL’s own version', ask.setAcl('/a/b', aclOf(1), 1), 'granted'],
    ['setAcl: the ACL’s own version', ask.setAcl('/a/b', aclOf(1), 0), 'BadVersion'],
  ])('%s', (_, request, fate) => expect(faulty().fate(request)).toBe(fate))

  test.each([
    ['path before existence', '/none/', 0, -8],
    ['existence', '/none', 5, -101],
    ['permission before version', '/no-read', 5, -102],
    ['version', '/a', 5, -103],
  ])('check: %s', (_, path, version, err) => {
    const { body } = faulty().run(ask.multi(op.check(path, version)))
    expect(body).toMatchObject({ type: 'multi', changes: [{ type: 'error', err }] })
  })

  test('a session that is over comes before every fault of a set', () => {
    expect(faulty().fate(ask.set('/none/'), session(99))).toBe('SessionExpired')
  })
})

test('[R3] a refused write uses up a zxid and changes nothing', () => {
  const machine = faulty()
  const before = [machine.tree.digest(), machine.tree.nodeCount, machine.tree.applied]
  const { zxid, outcome, events } = machine.run(ask.create('/a'))
  expect(outcome.err).toBe(-110)
  expect(events).toEqual([])
  expect([machine.tree.digest(), machine.tree.nodeCount]).toEqual(before.slice(0, 2))
  expect(zxid).toBe((before[2] as number) + 1)
})

describe('[R4] a write is checked against the tree as it will be', () => {
  const pipelined = (...requests: Uint8Array[]): number[] => {
    const machine = new Machine().open()
    for (const request of requests) machine.propose(request)
    return machine.apply().map(({ outcome }) => outcome.err)
  }

  test('a child of a node that is only proposed', () => {
    expect(pipelined(ask.create('/p'), ask.create('/p/c'), ask.create('/p/c'))).toEqual([
      0, 0, -110,
    ])
  })

  test('versions of proposed changes', () => {
    const requests = [
      ask.create('/p'),
      ask.set('/p', '1', 0),
      ask.set('/p', '2', 1),
      ask.set('/p', '3', 1),
    ]
    expect(pipelined(...requests)).toEqual([0, 0, 0, -103])
  })

  test('a deletion, and a creation anew', () => {
    const requests = [
      ask.create('/p'),
      ask.set('/p'),
      ask.delete('/p', 1),
      ask.set('/p'),
      ask.create('/p'),
    ]
    expect(pipelined(...requests, ask.set('/p', 'x', 0))).toEqual([0, 0, 0, -101, 0, 0])
  })

  test('children that come and go', () => {
    const requests = [
      ask.create('/p'),
      ask.create('/p/c'),
      ask.delete('/p'),
      ask.delete('/p/c'),
      ask.delete('/p'),
    ]
    expect(pipelined(...requests)).toEqual([0, 0, -111, 0, 0])
  })

  test('an ACL', () => {
    const requests = [
      ask.create('/p'),
      ask.setAcl('/p', noWrite),
      ask.set('/p'),
      ask.setAcl('/p'),
      ask.set('/p'),
    ]
    expect(pipelined(...requests)).toEqual([0, 0, -102, 0, 0])
  })

  test('an ephemeral parent, and the end of its session', () => {
    const machine = new Machine().open().open(session(2))
    machine.propose(ask.create('/e', 'ephemeral'))
    machine.propose(ask.create('/e/c'))
    machine.propose(ask.close())
    machine.propose(ask.create('/late'))
    machine.propose(ask.create('/e'), session(2))
    const fates = machine.apply().map(({ outcome }) => outcome.err)
    expect(fates).toEqual([0, -108, 0, -112, 0])
    expect(machine.tree.get('/e')?.owner).toBe(0n)
  })

  test('sequence numbers, which count every child ever created', () => {
    const machine = new Machine().open()
    machine.run(ask.create('/q'))
    for (const [path, flag] of [
      ['/q/plain', 'persistent'],
      ['/q/n-', 'persistentSequential'],
      ['/q/m-', 'ephemeralSequential'],
    ] as const) {
      machine.propose(ask.create(path, flag))
    }
    machine.propose(ask.delete('/q/plain'))
    machine.propose(ask.create('/q/n-', 'persistentSequential'))
    const paths = machine.apply().map(({ outcome }) => outcome.path)
    expect(paths).toEqual([
      '/q/plain',
      '/q/n-0000000001',
      '/q/m-0000000002',
      undefined,
      '/q/n-0000000003',
    ])
  })
})

describe('[R5] a multi', () => {
  test('is prepared operation by operation, and takes effect at one zxid', () => {
    const machine = new Machine().open()
    const { zxid, outcome, events } = machine.run(
      ask.multi(
        op.create('/m'),
        op.create('/m/n-', 'persistentSequential'),
        op.create('/m/n-', 'persistentSequential'),
        op.set('/m', 0),
        op.check('/m', 1),
        op.delete('/m/n-0000000000'),
      ),
    )
    expect(outcome.parts?.map(({ err, path }) => path ?? err)).toEqual([
      '/m',
      '/m/n-0000000000',
      '/m/n-0000000001',
      0,
      0,
      0,
    ])
    const node = machine.tree.get('/m')
    expect([node?.czxid, node?.mzxid, node?.pzxid]).toEqual([zxid, zxid, zxid])
    expect(events).toEqual([
      'created /m',
      'childrenChanged /',
      'created /m/n-0000000000',
      'childrenChanged /m',
      'created /m/n-0000000001',
      'childrenChanged /m',
      'dataChanged /m',
      'deleted /m/n-0000000000',
      'childrenChanged /m',
    ])
  })

  test('that is refused tells each operation’s fate: 0 before, the code, −2 behind', () => {
    const machine = faulty()
    const { body } = machine.run(
      ask.multi(op.create('/new'), op.delete('/full'), op.create('/a'), op.set('/a')),
    )
    expect(body).toEqual({
      type: 'multi',
      changes: [0, -111, -2, -2].map((err) => ({ type: 'error', err })),
    })
  })

  test('that is refused leaves no trace in what is proposed', () => {
    const machine = new Machine().open()
    machine.run(ask.create('/p'))
    machine.propose(ask.set('/p', '1', 0))
    machine.propose(
      ask.multi(op.set('/p', 1), op.create('/p/c'), op.delete('/p/c'), op.delete('/none')),
    )
    machine.propose(ask.set('/p', '2', 1))
    machine.propose(ask.create('/p/s-', 'persistentSequential'))
    machine.propose(ask.delete('/p/c'))
    const applied = machine.apply().map(({ outcome }) => outcome)
    expect(applied.map(({ err }) => err)).toEqual([0, 0, 0, 0, -101])
    expect(applied[3]?.path).toBe('/p/s-0000000000')
    machine.propose(ask.set('/p', '3', 2))
    expect(machine.apply().map(({ outcome }) => outcome.err)).toEqual([0])
  })

  test('of nothing is granted', () => {
    const { body, outcome } = new Machine().open().run(ask.multi())
    expect(body).toEqual({ type: 'multi', changes: [] })
    expect(outcome.parts).toEqual([])
  })

  test('with an operation that no multi holds is refused as a whole with −5', () => {
    const read = { operation: 'getData', request: { path: '/', watch: false } } as const
    const acl = {
      operation: 'setAcl',
      request: { path: '/', acl: aclOf(31), version: -1 },
    } as const
    for (const bad of [read, acl]) {
      const machine = new Machine().open()
      expect(machine.fate(ask.multi(op.create('/x'), bad as never))).toBe('MarshallingError')
      expect(machine.tree.get('/x')).toBe(undefined)
    }
  })

  test('that is cut short is refused with −5', () => {
    const machine = new Machine().open()
    const whole = ask.multi(op.create('/x'), op.create('/y'))
    for (let length = 8; length < whole.length; length++) {
      expect(machine.fate(whole.slice(0, length))).toBe('MarshallingError')
    }
    expect(machine.fate(whole)).toBe('granted')
  })
})

describe('[S11] only the attachment a session has now may write', () => {
  test('a request of an earlier one is refused, its end is not', () => {
    const machine = new Machine().open()
    expect(machine.proposer.revalidate(session(1), 2 as never, 99)).toBe(true)
    expect(machine.fate(ask.create('/x'))).toBe('SessionMoved')
    expect(machine.fate(ask.close())).toBe('granted')
    expect(machine.proposer.revalidate(session(1), 2 as never, 99)).toBe(false)
  })

  test('an id in use opens no second session', () => {
    const machine = new Machine().open()
    machine.run(ask.create('/e', 'ephemeral'))
    machine.open()
    expect(machine.tree.ephemeralsOf(session(1)).size).toBe(1)
    expect(machine.tree.sessions.size).toBe(1)
  })
})

describe('[T9] a txn fits one log row', () => {
  const most = 1_900_000

  test('a multi as long as a frame may be, of the smallest operations that grow', () => {
    const machine = new Machine().open()
    const operation = op.create('/a', 'persistentSequential')
    const length = ask.multi(operation).length - ask.multi().length
    const frameBytesMax = settingRows.JUTE_MAX_BUFFER.max
    const frame = ask.multi(
      ...Array<typeof operation>(Math.floor(frameBytesMax / length)).fill(operation),
    )
    machine.propose(frame)
    expect(machine.proposer.waitingBytes).toBeGreaterThan(frame.length)
    expect(machine.proposer.waitingBytes).toBeLessThan(most)
    expect(machine.apply()[0]?.outcome.parts?.every(({ err }) => err === 0)).toBe(true)
  })

  const auth = [{ perms: 31, id: { scheme: 'auth', id: '' } }]
  const proved = (count: number): { scheme: string; id: string }[] =>
    Array.from({ length: count }, (_, at) => ({
      scheme: 'digest',
      id: `user${at}:${'h'.repeat(28)}`,
    }))

  test('a multi whose `auth` would swell it is refused whole with −5, and leaves no trace', () => {
    const machine = new Machine().open()
    machine.identities = proved(20)
    const creates = Array.from({ length: 2000 }, (_, at) =>
      op.create(`/a${at}`, 'persistent', auth),
    )
    expect(machine.fate(ask.multi(...creates))).toBe('MarshallingError')
    expect(machine.fate(ask.create('/a0'))).toBe('granted')
    expect(machine.fate(ask.multi(...creates.slice(1, 50)))).toBe('granted')
    expect(machine.tree.get('/a1')?.acl.length).toBe(20)
  })

  test('a single list that would swell it is refused with −114', () => {
    const machine = new Machine().open()
    machine.identities = proved(3000)
    expect(machine.fate(ask.create('/a', 'persistent', auth))).toBe('InvalidAcl')
    machine.identities = proved(100)
    expect(machine.fate(ask.create('/a', 'persistent', auth))).toBe('granted')
  })
})

describe('[R9] a quota', () => {
  /** `/q` has one node, itself, with one byte, and may have two nodes and ten bytes. */
  const machine = (limits: string, enforceQuota: boolean) => {
    const made = new Machine(Infinity, undefined, { enforceQuota }).open()
    for (const path of ['/q', '/zookeeper/quota/q']) made.run(ask.create(path))
    const [limited, counted] = ['zookeeper_limits', 'zookeeper_stats'].map(
      (name) => `/zookeeper/quota/q/${name}`,
    ) as [string, string]
    made.run(ask.create(limited, 'persistent', undefined, limits))
    made.run(ask.create(counted, 'persistent', undefined, 'count=0,bytes=0'))
    return made
  }

  test('that is soft lets writes through, and tells', () => {
    const soft = machine('count=2,bytes=10', true)
    expect(soft.run(ask.create('/q/a')).outcome.err).toBe(0)
    expect(soft.warnings).toEqual([])
    expect(soft.run(ask.create('/q/b')).outcome.err).toBe(0)
    expect(soft.run(ask.set('/q/a', 'x'.repeat(20))).outcome.err).toBe(0)
    expect(soft.warnings).toEqual([
      { subject: '/q', limit: 'count', allowed: 2, used: 3 },
      { subject: '/q', limit: 'bytes', allowed: 10, used: 22 },
    ])
  })

  test.each([
    [true, errorCodes.QuotaExceeded, []],
    [false, 0, ['countHardLimit', 'byteHardLimit']],
  ])('that is hard refuses where quotas are enforced: %s', (isEnforced, err, told) => {
    const hard = machine('count=-1,bytes=-1=;byteHardLimit=10;countHardLimit=1', isEnforced)
    expect(hard.run(ask.create('/q/a')).outcome.err).toBe(err)
    expect(hard.run(ask.set('/q', 'x'.repeat(20))).outcome.err).toBe(err)
    expect(hard.warnings.map(({ limit }) => limit)).toEqual(told)
  })
})
