/**
 * Where ours answers otherwise than ZooKeeper 3.8.0 on purpose. Each difference has a reason and says exactly what it
 * covers: either what 3.8.0 must be asked to answer as we do, or which two observations mean the same.
 */
import type { MultiOperation } from '../../src/core/wire/multi.ts'
import { createFlags, xids } from '../../src/core/wire/opcodes.ts'
import { errorCodes } from '../../src/core/wire/refusals.ts'
import type { Observation } from './mask.ts'
import type { Mode } from './modes.ts'
import type { ClientView } from './player.ts'
import { type Request, show, type Step } from './script.ts'

export interface Deliberate {
  readonly reason: string
  /** 3.8.0 is asked this in its place. */
  ask?(request: Request, client: ClientView): Request | undefined
  /** Of the same step and place: 3.8.0’s observation and ours. */
  same?(apache: Observation, ours: Observation, step: Step): boolean
}

/** Closes the connection after −6, in every version. */
const unknownOperation = (request: Request): Request => ({ ...request, code: 999 })
/** −8, and a zxid is used up, in every version. */
const badArguments = ({ xid }: Request): Request => ({
  ...(xid !== undefined && { xid }),
  op: 'create',
  body: { path: '/', data: null, acl: [], flags: 99 },
})

export const deliberate = {
  'check alone': {
    reason: 'check outside a multi: 3.8.0 never answers; 3.9.5 −6 and the end (ZOOKEEPER-2623)',
    ask: (request) => (request.op === 'check' ? unknownOperation(request) : undefined),
  },
  'createSession by a client': {
    reason: 'operation −10: ZooKeeper greets the connection anew; refused here as unknown',
    ask: (request) => (request.op === 'createSession' ? unknownOperation(request) : undefined),
  },
  'deleteContainer by a client': {
    reason: 'operation 20: ZooKeeper lets any client remove any empty node; refused here, −8',
    ask: (request) => (request.op === 'deleteContainer' ? badArguments(request) : undefined),
  },
  'createTtl without TTL': {
    reason: 'operation 21 with another flag: ZooKeeper may stop for good; refused here, −8',
    ask: (request) => {
      if (request.op !== 'createTtl' || request.raw !== undefined) return undefined
      const { flags } = request.body as { readonly flags: number }
      const isTtl =
        flags === createFlags.persistentWithTtl || flags === createFlags.persistentSequentialWithTtl
      return isTtl ? undefined : badArguments(request)
    },
  },
  'types of persistent watches': {
    reason: 'check- and removeWatches know the types 4 and 5 since 3.9; all types mind the mode',
    ask: (request, client) => {
      if (request.op !== 'checkWatches' && request.op !== 'removeWatches') return undefined
      if (request.raw !== undefined) return undefined
      const { path, type } = request.body as { readonly path: string; readonly type: number }
      if (type < 1 || type > 5 || type === watcherTypes.any) return undefined
      const mode = client.modes.of(path)
      if (type < watcherTypes.any && mode !== 'persistent' && mode !== 'recursive') return undefined
      // One mode a path and connection: then any type means that mode.
      const body = mode === modeOfType(type) ? { path, type: watcherTypes.any } : nowhere
      return { ...request, body }
    },
  },
  'zxid of an event': {
    reason: 'since 3.9 an event has the zxid of its change (ZOOKEEPER-4655); −1 before',
    same: (apache, ours, step) =>
      apache.saw === 'event' &&
      ours.saw === 'event' &&
      !isReplay(step) &&
      apache.zxid === String(xids.watchEvent) &&
      ours.zxid.startsWith('z') &&
      apache.path === ours.path &&
      apache.type === ours.type &&
      apache.state === ours.state &&
      apache.err === ours.err,
  },
  'checkWatches of others': {
    reason:
      '3.8.0 finds the watch of anybody on the path, which must begin with /; since 3.9 one’s own',
    same: (apache, ours) =>
      apache.saw === 'reply' &&
      ours.saw === 'reply' &&
      ours.request?.op === 'checkWatches' &&
      (apache.err === 0 || apache.err === errorCodes.MarshallingError) &&
      ours.err === errorCodes.NoWatcher &&
      apache.zxid === ours.zxid,
  },
  'beyond 16 bits': {
    reason: 'ZooKeeper writes 😀 as two surrogates of 3 bytes each, which is no UTF-8; here it is',
    same: (apache, ours) =>
      asJavaWrites(show(apache)) === asJavaWrites(show(ours)) && show(ours).includes('\u{1f600}'),
  },
  'exists needs READ': {
    reason: 'exists looks at the ACL since 3.8.6 (ZOOKEEPER-2590): −102, and no watch',
    same: (apache, ours) =>
      apache.saw === 'reply' &&
      ours.saw === 'reply' &&
      ours.request?.op === 'exists' &&
      apache.err === 0 &&
      ours.err === errorCodes.NoAuth &&
      apache.zxid === ours.zxid,
  },
  'unknown flag in a multi': {
    reason: 'a create flag that is none makes the whole multi malformed since 3.9: −5',
    same: (apache, ours) =>
      apache.saw === 'reply' &&
      ours.saw === 'reply' &&
      ours.request?.op === 'multi' &&
      apache.err === 0 &&
      ours.err === errorCodes.MarshallingError &&
      apache.zxid === ours.zxid &&
      (ours.request.body as readonly MultiOperation[]).some(hasUnknownFlag),
  },
} as const satisfies Record<string, Deliberate>

export type DeliberateName = keyof typeof deliberate

/** Differences that would spread, or that chance decides: the scripts keep away from them. Other tests show the most of them. */
export const avoided: readonly string[] = [
  'a wrong password while the owner is connected: ZooKeeper closes the owner’s connection, here it stays (W08)',
  'several modes of watches on one path and connection: 3.8.0 keeps the last, since 3.9 they live together (E14)',
  'auth in a burst: ZooKeeper answers it at once, before what was asked earlier; here in its turn',
  'a request right behind a setACL: ZooKeeper checks it against either ACL, here against the new one',
  'a write right behind a multi that creates with a TTL flag: ZooKeeper fails in its midst and takes nothing back for a while',
  'writes in a burst below a hard quota: either counts what is applied by then',
  'quota limits that cannot be read: ZooKeeper answers −5 to every write below, here they limit nothing',
  'createTtl without TTL inside a multi: an ordinary create in ZooKeeper, −8 here',
  'a body that is no ReconfigRequest: −5 from both, but here it uses up a zxid',
]

const watcherTypes = { children: 1, data: 2, any: 3, persistent: 4, recursive: 5 } as const

function modeOfType(type: number): Mode {
  if (type < watcherTypes.any) return 'standard'
  return type === watcherTypes.persistent ? 'persistent' : 'recursive'
}

/** What setWatches tells has no zxid, in every version. */
const isReplay = (step: Step): boolean =>
  step.act === 'ask' && step.requests.every(({ op }) => op.startsWith('setWatches'))

const nowhere = { path: '/nowhere', type: watcherTypes.any } as const

/** As text, after it was read. */
const asJavaWrites = (text: string): string => text.replaceAll('\u{1f600}', '\ufffd'.repeat(6))

function hasUnknownFlag({ request }: MultiOperation): boolean {
  const flags = (request as { readonly flags?: number }).flags
  return flags !== undefined && (flags < 0 || flags > createFlags.persistentSequentialWithTtl)
}
