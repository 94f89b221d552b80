/** Every command of zkCli.sh 3.8, said to Apache ZooKeeper and to ours in one long session, must be answered alike. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Conversation } from '../support/conversation.ts'
import { isInstalled, zkCli } from '../support/programs.ts'
import type { ZooKeeper } from '../support/zookeeper.ts'
import { startThreeZooKeepers, type Target, targets } from './targets.ts'
import { commands } from './zkcli-script.ts'

const isHere = isInstalled.zkCli() && isInstalled.zooKeeper()
if (!isHere) console.warn('left out: zkCli.sh is not here (Debian package zookeeper)')

/** Where ours answers otherwise on purpose, and what. */
const deliberate: Readonly<Record<string, { readonly reason: string; readonly ours: RegExp }>> = {
  'stat /theirs': {
    reason: 'exists looks at the ACL since 3.8.6 (ZOOKEEPER-2590)',
    ours: /^Insufficient permission : \/theirs$/,
  },
  ...Object.fromEntries(
    ['config', 'config -s', 'config -w'].map((command) => [
      command,
      {
        reason: 'the members’ names are their actors’, the version is the first epoch’s zxid',
        ours: /^(server\.(\d)=member-\2:2888:3888:participant\n){3}version=100000000(\n|$)/,
      },
    ]),
  ),
  'config -c': { reason: 'the same version', ours: /^100000000 ,,$/ },
}

/** What one session of the shell showed. */
interface Shown {
  /** Command and answer, in order, but of the deliberate ones. */
  readonly answers: readonly string[]
  readonly deliberate: readonly string[]
  /** Watch events, in order: the shell prints them whenever it likes. */
  readonly events: readonly string[]
}

describe.skipIf(!isHere)('zkCli.sh, every command', () => {
  let apache: ZooKeeper
  let expected: Shown
  beforeAll(async () => {
    apache = await startThreeZooKeepers(settings)
    expected = await sessionAt(apache)
  })
  afterAll(() => apache?.stop())

  describe.each(targets)('against $name', ({ name, start }) => {
    let target: Target
    beforeAll(async () => {
      target = await start(settings)
    })
    afterAll(() => target?.stop())

    it('is answered as by Apache ZooKeeper', async () => {
      const shown = await sessionAt(target)
      if (name !== 'zookeeper') expectDeliberate(shown)
      expect(shown.answers).toEqual(expected.answers)
      expect(shown.events).toEqual(expected.events)
      expect(shown.answers.length + shown.deliberate.length).toBe(commands.length)
    })
  })
})

function expectDeliberate({ deliberate: answers }: Shown): void {
  for (const answer of answers) {
    const [command = '', ...lines] = answer.split('\n')
    expect(lines.join('\n'), command).toMatch(deliberate[command.slice(2)]?.ours ?? 'a reason')
  }
  expect(answers).toHaveLength(Object.keys(deliberate).length)
}

const settings = { ENFORCE_QUOTA: 'true' } as const

/** Plays the script at the first member. */
async function sessionAt({ zkPorts }: Target): Promise<Shown> {
  const server = `127.0.0.1:${zkPorts[0]}`
  // One stream for both of its outputs, or their order would be lost.
  const merged = 'exec "$0" "$@" 2>&1'
  const talk = new Conversation('/bin/sh', ['-c', merged, zkCli, '-server', server])
  const mask = new Mask()
  const shown = { answers: [] as string[], deliberate: [] as string[] }
  const events: string[] = []
  try {
    await talk.hear(/state:SyncConnected type:None path:null/)
    for (const command of commands) {
      talk.say(command.replace('$SERVER', server))
      const [heard] = await talk.ask('redo 9999', /[^]*?Command index out of range\n/)
      const lines = heard
        .replace(/Command index out of range\n$/, '')
        .split('\n')
        .filter(isTold)
      events.push(...lines.filter(isEvent))
      const answer = lines.filter((line) => !isEvent(line))
      if (command in deliberate) shown.deliberate.push([`› ${command}`, ...answer].join('\n'))
      else shown.answers.push([`› ${command}`, ...mask.answer(command, answer)].join('\n'))
    }
    if (!events.some((event) => event.includes('AuthFailed'))) await talk.hear(/state:AuthFailed/)
  } finally {
    talk.kill()
  }
  return { ...shown, events: events.filter((event) => !event.includes('type:None')) }
}

const isEvent = (line: string): boolean => line.startsWith('WatchedEvent ')

/**
 * Neither our own words, nor the logger’s, nor what surrounds an event, nor what the shell says at times only: deleteall
 * looks whether it failed while that is being written down.
 */
const isTold = (line: string): boolean =>
  line !== '' &&
  line !== 'WATCHER::' &&
  line !== 'Failed to delete some node(s) in the subtree!' &&
  !line.startsWith('› ') &&
  !line.startsWith('SLF4J: ')

/** Zxids and session ids are numbered as they are met; times are taken out. */
class Mask {
  readonly #numbers = new Map<string, string>([['0x0', '0x0']])

  /** Who one is has no order. */
  answer(command: string, lines: readonly string[]): readonly string[] {
    const masked = lines.map((line) => this.#line(line))
    return command.startsWith('whoami') ? masked.toSorted() : masked
  }

  #line(line: string): string {
    const masked = line
      .replaceAll(/0x[0-9a-f]+/g, (number) => this.#nameOf(number))
      .replace(/^([cm]time = ).*/, '$1…')
    return /^\[.*\]$/.test(masked) ? sorted(masked) : masked
  }

  #nameOf(number: string): string {
    const name = this.#numbers.get(number) ?? `#${this.#numbers.size}`
    this.#numbers.set(number, name)
    return name
  }
}

/** A list without order, in one. */
const sorted = (list: string): string => `[${list.slice(1, -1).split(', ').toSorted().join(', ')}]`
