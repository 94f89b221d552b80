/** The tests that kazoo brings along, as its authors wrote them. They take their time: one target is enough. */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startEnsemble } from '../support/ensemble.ts'
import { isInstalled, python } from '../support/programs.ts'
import { runProgram } from '../support/run-program.ts'
import { startZooKeeper } from '../support/zookeeper.ts'
import { outcomes } from './scenarios.ts'
import type { Target } from './targets.ts'

const isHere = isInstalled.kazoo()
if (!isHere) console.warn('left out: kazoo is not here (Debian package python3-kazoo)')

const isApaches = process.env['INTEROP'] === 'zookeeper'
const start = (): Promise<Target> =>
  isApaches ? startZooKeeper({ members: 3 }) : startEnsemble({ env: { FOUR_LETTER_WORDS: '*' } })

/** kazoo 2.8 hangs for good at −123, with which both sides answer as they are started here. */
const needsReconfig = ['test_no_super_auth', 'test_add_remove_observer', 'test_bad_input']

/** Of each module, the tests that do not run. */
const modules: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  test_barrier: {},
  test_cache: {},
  test_client: {
    'test_client.TestClient.test_request_queuing_session_expired': 'skipped, stops a server',
    'test_client.TestClient.test_request_queuing_session_recovered': 'skipped, stops a server',
    'test_client.TestClient.test_update_host_list': 'skipped, stops a server',
    'test_client.TestReconfig.test_add_remove_observer': 'left out',
    'test_client.TestReconfig.test_bad_input': 'left out',
    'test_client.TestReconfig.test_no_super_auth': 'left out',
  },
  test_connection: { 'test_connection.TestReadOnlyMode.test_read_only': 'skipped, stops a server' },
  test_counter: {},
  test_election: {},
  test_lease: {},
  test_lock: {},
  test_partitioner: {},
  test_party: {},
  test_queue: {},
  test_watchers: {},
}

describe.skipIf(!isHere)(`kazoo’s own tests${isApaches ? ', against zookeeper' : ''}`, () => {
  let target: Target
  beforeAll(async () => {
    target = await start()
  })
  afterAll(() => target?.stop())

  it.each(Object.entries(modules))('%s', { timeout: 150_000 }, async (module, notRun) => {
    const script = join(import.meta.dirname, 'clients/kazoo_own_tests.py')
    const args = [script, target.hosts, module, ...needsReconfig]
    const told = outcomes(await runProgram(python, args, { withinMs: 140_000 }))
    const others = [...told].filter(([, outcome]) => outcome !== 'ok')
    expect(Object.fromEntries(others)).toEqual(notRun)
    expect(told.size - others.length).toBeGreaterThan(1)
  })
})
