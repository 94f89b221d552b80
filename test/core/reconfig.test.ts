import { describe, expect, it, test } from 'vitest'
import { asSid, asZxid } from '../../src/core/shared/units.ts'
import { firstConfiguration } from '../../src/core/zab/configuration.ts'
import {
  BadConfiguration,
  changedConfiguration,
  readConfiguration,
  readStoredConfiguration,
} from '../../src/core/zab/configuration-text.ts'
import { Hierarchy } from '../../src/core/zab/quorum.ts'
import { ask, Machine } from './machine.ts'

const root = [{ scheme: 'super', id: '' }]
const line = (sid: number, role = 'participant'): string =>
  `server.${sid}=127.0.0.1:${2000 + sid}:${3000 + sid}:${role};127.0.0.1:${4000 + sid}`
const lines = (...sids: number[]): string => sids.map((sid) => line(sid)).join('\n')

function ready(rules: ConstructorParameters<typeof Machine>[2] = {}): Machine {
  const machine = new Machine(Infinity, undefined, rules).open()
  machine.identities = root
  return machine
}

describe('[G1] reconfig is refused as ZooKeeper refuses it, the first fault in its order', () => {
  const bad = ask.reconfig({ joining: 'no server', version: 5 })

  it('while it is disabled, whatever else is wrong', () => {
    expect(ready({ reconfigEnabled: false }).fate(bad)).toBe('ReconfigDisabled')
  })

  it('at a standalone server', () => {
    const machine = ready()
    machine.ensemble.active = firstConfiguration({ voters: [asSid(1)], observers: [] })
    expect(machine.fate(bad)).toBe('Unimplemented')
  })

  it('while another one is under way', () => {
    const machine = ready()
    machine.propose(ask.reconfig({ leaving: '1' }))
    machine.propose(bad)
    const fates = machine.apply().map(({ outcome }) => outcome.err)
    expect(fates).toEqual([0, -14])
  })

  it('of another version than the present one', () => {
    const machine = ready()
    expect(machine.fate(bad)).toBe('BadVersion')
    expect(machine.fate(ask.reconfig({ leaving: '1', version: 0x1_0000_0000 }))).toBe('granted')
  })

  it('without the permission to write /zookeeper/config, after all that', () => {
    const machine = ready()
    machine.identities = []
    expect(machine.fate(bad)).toBe('BadVersion')
    expect(machine.fate(ask.reconfig({ joining: 'no server' }))).toBe('BadArguments')
    expect(machine.fate(ask.reconfig({ members: lines(7, 8, 9) }))).toBe('NewConfigNoQuorum')
    expect(machine.fate(ask.reconfig({ leaving: '1' }))).toBe('NoAuth')
  })

  // Each as ZooKeeper 3.8.0 answered it.
  const joining: [string, string][] = [
    ['foo', 'BadArguments'],
    ['server.x=127.0.0.1:1:2;3', 'MarshallingError'],
    ['server.4=127.0.0.1:1:2', 'BadArguments'],
    ['server.4=127.0.0.1:1:2:foo;3', 'BadArguments'],
    ['server.4=127.0.0.1:1;3', 'BadArguments'],
    ['server.4=127.0.0.1:1:1;3', 'BadArguments'],
    ['server.4=127.0.0.1:a:1;3', 'BadArguments'],
    ['server.4=127.0.0.1:99999:1;3', 'MarshallingError'],
    ['server.4=127.0.0.1:7:1;x', 'BadArguments'],
    ['server.4=127.0.0.1:7:1;3;4', 'BadArguments'],
    ['server.4=127.0.0.1:7:1=4;3', 'BadArguments'],
    [[4, 5, 6].map((sid) => line(sid)).join(), 'NewConfigNoQuorum'],
    // Ours: there is no actor of that number.
    ['server.10=127.0.0.1:7:1;3', 'BadArguments'],
    ['server.0=127.0.0.1:7:1;3', 'BadArguments'],
  ]
  test.each(joining)('joining %s', (text, fate) => {
    expect(ready().fate(ask.reconfig({ joining: text }))).toBe(fate)
  })

  const leaving: [string, string][] = [
    ['a', 'MarshallingError'],
    ['1,2', 'BadArguments'],
    ['1,2,3', 'BadArguments'],
    ['9', 'granted'],
    ['', 'granted'],
  ]
  test.each(leaving)('leaving %s', (text, fate) => {
    expect(ready().fate(ask.reconfig({ leaving: text }))).toBe(fate)
  })

  const members: [string, string][] = [
    ['', 'BadArguments'],
    [line(1), 'BadArguments'],
    ['hello', 'BadArguments'],
    [`foo=bar\n${lines(1, 2)}`, 'BadArguments'],
    [`${line(1, 'observer')}\n${line(2, 'observer')}`, 'MarshallingError'],
    [`server.a=127.0.0.1:1:2;3\n${lines(1, 2)}`, 'MarshallingError'],
    [`server.4=127.0.0.1:1;3\n${lines(1, 2)}`, 'BadArguments'],
    [`group.1=1:2\n${lines(1, 2, 3)}`, 'BadArguments'],
    [`group.1=1:2:3\ngroup.2=3\n${lines(1, 2, 3)}`, 'BadArguments'],
    [`group.1=1:2:3:8\n${lines(1, 2, 3)}`, 'MarshallingError'],
    [`group.x=1:2:3\n${lines(1, 2, 3)}`, 'MarshallingError'],
    [`group.1=1:2:3\nweight.1=x\n${lines(1, 2, 3)}`, 'MarshallingError'],
    [lines(7, 8, 9), 'NewConfigNoQuorum'],
    [line(9), 'BadArguments'],
    [lines(1, 2, 3), 'granted'],
    [`${lines(1, 2, 3).replaceAll('\n', ',')},version=55`, 'granted'],
    [`group.1=1:2:3\nweight.2=2\n${lines(1, 2, 3)}`, 'granted'],
    // Ours: votes of no weight would decide nothing, ever.
    [`group.1=1:2\nweight.1=0\nweight.2=0\n${lines(1, 2)}`, 'BadArguments'],
  ]
  test.each(members)('members %s', (text, fate) => {
    expect(ready().fate(ask.reconfig({ members: text }))).toBe(fate)
  })

  it('incremental, where groups and weights decide', () => {
    const machine = ready()
    machine.ensemble.active = readConfiguration(`group.1=1:2:3\n${lines(1, 2, 3)}`, asZxid(7))
    expect(machine.fate(ask.reconfig({ joining: 'foo' }))).toBe('BadArguments')
    expect(machine.fate(ask.reconfig({ leaving: '1' }))).toBe('BadArguments')
  })

  it('down to one voter, unless one may be an ensemble', () => {
    const machine = ready({ standaloneEnabled: false })
    machine.ensemble.synced = [asSid(3)]
    expect(machine.fate(ask.reconfig({ members: line(3) }))).toBe('granted')
    expect(machine.fate(ask.reconfig({ members: '' }))).toBe('MarshallingError')
  })
})

it('[G2] a reconfig that is granted changes /zookeeper/config, answers with it, and fires its watches', () => {
  const machine = ready()
  const { zxid, outcome, body, events } = machine.run(
    ask.reconfig({ joining: 'server.4=h:1:2:observer;5', leaving: '1' }),
  )
  const text = [
    'server.2=member-2:2888:3888:participant',
    'server.3=member-3:2888:3888:participant',
    'server.4=h:1:2:observer',
    `version=${zxid.toString(16)}`,
  ].join('\n')
  expect(events).toEqual(['dataChanged /zookeeper/config'])
  expect(body.type === 'reconfig' && new TextDecoder().decode(body.data ?? undefined)).toBe(text)
  expect(outcome.stat).toMatchObject({ version: -1, aversion: -1, czxid: 0, mzxid: zxid })
  const stored = machine.tree.get('/zookeeper/config')
  expect(new TextDecoder().decode(stored?.data ?? undefined)).toBe(text)
})

describe('[G3] a configuration', () => {
  it('is read as it was written', () => {
    const text = [
      line(1),
      line(2, 'observer'),
      line(3),
      'group.1=1:3',
      'weight.1=2',
      'weight.3=1',
      'version=700000002',
    ].join('\n')
    expect(readStoredConfiguration(text).text).toBe(text)
  })

  it('tells every client address or none: Curator would forget the others', () => {
    const none = firstConfiguration({ voters: [1, 2].map(asSid), observers: [] })
    const joined = changedConfiguration(none, 'server.3=h:1:2;9', null, asZxid(9))
    expect(joined.text).not.toContain(';')
    const all = firstConfiguration({
      voters: [1, 2].map(asSid),
      observers: [],
      clientOf: (sid) => `h:${sid}`,
    })
    expect(changedConfiguration(all, 'server.3=h:1:2;9', null, asZxid(9)).text).toBe(
      [
        'server.1=member-1:2888:3888:participant;h:1',
        'server.2=member-2:2888:3888:participant;h:2',
        'server.3=h:1:2:participant;0.0.0.0:9',
        'version=9',
      ].join('\n'),
    )
  })

  it('takes addresses in brackets, and spaces where Java’s Properties do', () => {
    const text = '! a comment\n server.1 = [::1]:2:3 ; 4 \n\nserver.2: h:5:6'
    expect(readConfiguration(text.replace(' ; ', ';'), asZxid(1)).text).toBe(
      'server.1=[::1]:2:3:participant\nserver.2=h:5:6:participant\nversion=1',
    )
  })

  it('that nobody votes in, or of no version, is none', () => {
    for (const text of [line(1), 'version=1', `${line(1, 'observer')}\nversion=1`]) {
      expect(() => readStoredConfiguration(text)).toThrow(BadConfiguration)
    }
  })
})

describe('[G4] groups and weights', () => {
  const sids = (...numbers: number[]): ReturnType<typeof asSid>[] => numbers.map(asSid)
  const nine = new Hierarchy(sids(1, 2, 3, 4, 5, 6, 7, 8, 9), {
    groups: new Map(sids(1, 2, 3, 4, 5, 6, 7, 8, 9).map((sid, at) => [sid, Math.floor(at / 3)])),
    weights: new Map(sids(1, 2, 3, 4, 5, 6, 7, 8, 9).map((sid) => [sid, 1])),
  })

  it('need most of the groups, each by most of its weight', () => {
    expect(nine.isQuorum(sids(1, 2, 4, 5))).toBe(true)
    expect(nine.isQuorum(sids(1, 2, 3, 4, 7))).toBe(false)
    expect(nine.isQuorum(sids(1, 2, 2, 1))).toBe(false)
    expect(nine.isQuorum([])).toBe(false)
  })

  it('count no group without weight, and let nobody lead whose vote has none', () => {
    const text = `group.1=1:2\ngroup.2=3\nweight.2=3\nweight.3=0\n${lines(1, 2, 3)}`
    const { quorum, electors, voters } = readConfiguration(text, asZxid(1))
    expect(quorum.isQuorum(sids(2))).toBe(true)
    expect(quorum.isQuorum(sids(1, 3))).toBe(false)
    expect([voters, electors]).toEqual([sids(1, 2, 3), sids(1, 2)])
  })
})
