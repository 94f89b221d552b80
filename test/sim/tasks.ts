/** What clients do: they wander about the tree, and take part in locks and elections. */
import type { Random } from '../../src/core/shared/random.ts'
import { createFlags } from '../../src/core/wire/opcodes.ts'
import type { Client, Task } from './client.ts'
import type { Roles } from './membership-laws.ts'
import type { Operation, Reconfiguration, Write } from './model.ts'
import { placeOf, recipes } from './recipe-laws.ts'

const roots = ['/a', '/b', '/q']
const paths = ['/a', '/b', '/a/x', '/a/y', '/b/x', '/a/x/z']
const flagsDrawn = [
  createFlags.persistent,
  createFlags.persistent,
  createFlags.ephemeral,
  createFlags.persistentSequential,
  createFlags.ephemeralSequential,
]

/** One thing after the other, with a pause now and then. */
export function* wander(random: Random, pauseMaxMs: number, syncsPercent: number): Task {
  for (;;) {
    const isSync = random.between(0, 99) < syncsPercent
    yield { type: 'ask', operation: isSync ? { type: 'sync', path: '/a' } : draw(random) }
    if (random.between(0, 3) > 0) yield { type: 'sleep', ms: random.between(0, pauseMaxMs) }
  }
}

/** Makes what everybody needs; who comes later finds it made. */
export function* furnish(): Task {
  const made = [...roots, ...recipes.flatMap(({ queue, guarded }) => [queue, guarded])]
  for (const path of made) {
    yield { type: 'ask', operation: { type: 'create', path, data: '', flags: 0 } }
  }
}

/** Changes who the members are, one at a time: a place, a role, or both of one and another. */
export function* reconfigure(
  random: Random,
  sids: readonly number[],
  roles: () => Roles,
  pauseMs: number,
): Task {
  for (;;) {
    yield { type: 'sleep', ms: random.between(1, pauseMs * 2) }
    yield { type: 'ask', operation: drawReconfiguration(random, sids, roles()) }
  }
}

function drawReconfiguration(
  random: Random,
  sids: readonly number[],
  { voters, observers }: Roles,
): Reconfiguration {
  const outside = sids.filter((sid) => !voters.has(sid) && !observers.has(sid))
  const votes = random.between(0, 3) > 0
  // Fewer voters come through a storm less often.
  const mayLose = voters.size > 3 || (voters.size > 2 && random.between(0, 3) === 0)
  const leaving = mayLose ? oneOf(random, [...voters, ...observers]) : undefined
  const joining = { sid: oneOf(random, outside.length > 0 ? outside : sids), votes }
  switch (random.between(0, 3)) {
    case 0:
      return { type: 'reconfig', joining: undefined, leaving: leaving ?? oneOf(random, [...sids]) }
    case 1:
      return { type: 'reconfig', joining, leaving: undefined }
    case 2:
      return { type: 'reconfig', joining, leaving: leaving === joining.sid ? undefined : leaving }
    default: {
      const sid = oneOf(random, [...voters, ...observers])
      return { type: 'reconfig', joining: { sid, votes: observers.has(sid) }, leaving: undefined }
    }
  }
}

/** Queues up, and while it is first writes what is guarded; a lock is given back, an office is kept for a while. */
export function* contend(
  client: Client,
  random: Random,
  { queue, guarded }: (typeof recipes)[number],
  holdMs: number,
): Task {
  const prefix = `${client.name}-`
  for (;;) {
    yield* join(queue, prefix)
    yield* waitToBeFirst(queue, prefix)
    yield* hold(queue, guarded, prefix, random.between(1, 3), holdMs)
    const own = yield* findOwn(queue, prefix)
    if (own.first !== undefined) {
      const path = `${queue}/${own.first}`
      yield { type: 'ask', operation: { type: 'delete', path, version: -1 } }
    }
    yield { type: 'sleep', ms: random.between(1, holdMs * 2) }
  }
}

/** Nobody knows whether a create whose answer was lost took place: whoever asks again looks first. */
function* join(queue: string, prefix: string): Task {
  for (;;) {
    const own = yield* findOwn(queue, prefix)
    if (own.first !== undefined) return
    const operation: Operation = {
      type: 'create',
      path: `${queue}/${prefix}`,
      data: '',
      flags: createFlags.ephemeralSequential,
    }
    const answer = yield { type: 'ask', operation }
    if (answer?.err === 0) return
    yield { type: 'sleep', ms: 20 }
  }
}

function* waitToBeFirst(queue: string, prefix: string): Task {
  for (;;) {
    const { first, before } = yield* findOwn(queue, prefix)
    if (first === undefined || before === undefined) return
    const path = `${queue}/${before}`
    const answer = yield { type: 'ask', operation: { type: 'exists', path, watch: true } }
    if (answer?.err === 0) yield { type: 'event', path, ms: 2000 }
  }
}

function* hold(queue: string, guarded: string, prefix: string, times: number, ms: number): Task {
  for (let time = 0; time < times; time++) {
    const { first, before } = yield* findOwn(queue, prefix)
    if (first === undefined || before !== undefined) return
    const path = `${queue}/${first}`
    const own = yield { type: 'ask', operation: { type: 'get', path, watch: false } }
    if (own?.stat === undefined) return
    const data = String(own.stat.czxid)
    yield {
      type: 'ask',
      operation: {
        type: 'multi',
        operations: [
          { type: 'check', path, version: -1 },
          { type: 'set', path: guarded, data, version: -1 },
        ],
      },
    }
    yield { type: 'sleep', ms }
  }
}

/** The first of our own places, and whoever stands right before it. */
function* findOwn(
  queue: string,
  prefix: string,
): Generator<
  { type: 'ask'; operation: Operation } | { type: 'sleep'; ms: number },
  { readonly first: string | undefined; readonly before: string | undefined },
  { readonly err: number; readonly children?: readonly string[] } | undefined
> {
  for (;;) {
    const answer = yield { type: 'ask', operation: { type: 'children', path: queue, watch: false } }
    if (answer?.children === undefined) {
      yield { type: 'sleep', ms: 30 }
      continue
    }
    const line = answer.children.toSorted((a, b) => placeOf(a) - placeOf(b))
    const at = line.findIndex((name) => name.startsWith(prefix))
    return { first: line[at], before: at > 0 ? line[at - 1] : undefined }
  }
}

function draw(random: Random): Operation {
  const path = oneOf(random, paths)
  const watch = random.between(0, 3) === 0
  const data = String(random.between(0, 999))
  const version = random.between(0, 2) === 0 ? random.between(0, 3) : -1
  switch (random.between(0, 14)) {
    case 0:
    case 1:
    case 2:
      return drawCreate(random)
    case 3:
    case 4:
    case 5:
      return { type: 'set', path, data, version }
    case 6:
      return { type: 'delete', path, version }
    case 7:
      return { type: 'multi', operations: drawMulti(random) }
    case 8:
    case 9:
    case 10:
      return { type: 'get', path, watch }
    case 11:
      return { type: 'exists', path, watch }
    case 12:
      return { type: 'children', path: oneOf(random, [...roots, ...paths]), watch }
    case 13:
      return random.between(0, 3) === 0
        ? { type: 'removeWatches', path }
        : { type: 'addWatch', path, recursive: random.between(0, 1) === 0 }
    default:
      return { type: 'get', path, watch: true }
  }
}

function drawCreate(random: Random): Write {
  const flags = oneOf(random, flagsDrawn)
  const isSequential =
    flags === createFlags.persistentSequential || flags === createFlags.ephemeralSequential
  const path = isSequential ? oneOf(random, ['/q/n', '/b/n']) : oneOf(random, paths)
  return { type: 'create', path, data: String(random.between(0, 99)), flags }
}

function drawMulti(random: Random): Write[] {
  return Array.from({ length: random.between(1, 4) }, () => {
    const path = oneOf(random, paths)
    switch (random.between(0, 3)) {
      case 0:
        return drawCreate(random)
      case 1:
        return { type: 'set', path, data: 'm', version: -1 }
      case 2:
        return { type: 'delete', path, version: -1 }
      default:
        return { type: 'check', path, version: -1 }
    }
  })
}

const oneOf = <T>(random: Random, choices: readonly T[]): T =>
  choices[random.next() % choices.length] as T
