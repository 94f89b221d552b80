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
  /** 3.8.0 is asked what follows only when this was answered. */
  isAlone?(request: Request): boolean
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
      return hasNoTtl(request.body) ? badArguments(request) : undefined
    },
  },
  'createTtl without TTL in a multi': {
    reason: 'an ordinary create in ZooKeeper; refused here as it is alone, −8',
    ask: (request) => {
      if (!hasUntimelyCreate(request)) return undefined
      const body = (request.body as readonly MultiOperation[]).map((one) =>
        isUntimelyCreate(one) ? badOperation : one,
      )
      return { ...request, body }
    },
  },
  'auth in its turn': {
    reason: 'ZooKeeper answers auth and sasl at once, before what was asked earlier; in turn here',
    isAlone: ({ op }) => op === 'auth' || op === 'sasl',
  },
  'unknown in its turn': {
    reason: 'ZooKeeper refuses what is no operation at once and closes, whatever it still owes',
    isAlone: ({ op, code }) => code !== undefined || op === 'check' || op === 'createSession',
  },
  'behind a close': {
    reason: 'ZooKeeper answers −112 to a read behind a close, if it is quick; no answer here (S6)',
    isAlone: ({ op }) => op === 'closeSession',
  },
  'behind a setACL': {
    reason: 'ZooKeeper checks what comes right behind against either ACL; here against the new one',
    isAlone: ({ op }) => op === 'setAcl',
  },
  'behind a multi with a TTL flag': {
    reason: 'where a create lacks its TTL ZooKeeper fails in the midst and takes back only later',
    isAlone: ({ op, body }) => op === 'multi' && (body as readonly MultiOperation[]).some(lacksTtl),
  },
  'a thief at the door': {
    reason:
      'a wrong password closes the connection of the session’s owner in ZooKeeper (W08); not here',
    same: (apache, ours) => apache.saw === 'closed' && ours.saw === 'kept',
  },
  'a connection left behind': {
    reason:
      'ZooKeeper forgets one that came right after another was dropped: it stays open, unheard',
    same: (apache, ours, step) =>
      step.act === 'resume' && apache.saw === 'silent' && ours.saw === 'closed',
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
  'body of a refused multiRead': {
    reason: 'behind −5 ZooKeeper may send what it has of a reply; no error has a body here',
    same: (apache, ours) =>
      apache.saw === 'reply' &&
      ours.saw === 'reply' &&
      ours.request?.op === 'multiRead' &&
      apache.err === errorCodes.MarshallingError &&
      ours.err === errorCodes.MarshallingError &&
      ours.body === undefined &&
      apache.zxid === ours.zxid,
  },
  'create without a path': {
    reason: 'with a flag that is none, or that lacks its TTL: −8 in ZooKeeper; malformed here, −5',
    same: (apache, ours) =>
      apache.saw === 'reply' &&
      ours.saw === 'reply' &&
      isCreateWithoutPath(ours.request) &&
      apache.err === errorCodes.BadArguments &&
      ours.err === errorCodes.MarshallingError &&
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
  'several modes of watches on one path and connection: 3.8.0 keeps the last, since 3.9 they live together (E14)',
  'a write on a connection whose session went to another member: ZooKeeper ends it then, and a zxid is used up; here it has ended (S8)',
  'writes in a burst below a hard quota: either counts what is applied by then',
  'quota limits that cannot be read: ZooKeeper answers −5 to every write below, here they limit nothing',
  'a SASL packet without a token: ZooKeeper ends the connection (NullPointerException), here it is as an empty one',
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

function hasNoTtl(body: unknown): boolean {
  const { flags } = body as { readonly flags: number }
  return (
    flags !== createFlags.persistentWithTtl && flags !== createFlags.persistentSequentialWithTtl
  )
}

const isUntimelyCreate = ({ operation, request }: MultiOperation): boolean =>
  operation === 'createTtl' && hasNoTtl(request)

/** Such a multi must reach 3.8.0 translated only. */
export const hasUntimelyCreate = ({ op, body }: Request): boolean =>
  op === 'multi' && (body as readonly MultiOperation[]).some(isUntimelyCreate)

/** −8 of its own, in 3.8.0. */
const badOperation: MultiOperation = {
  operation: 'create',
  request: { path: '/', data: null, acl: [], flags: 99 },
}

function lacksTtl({ operation, request }: MultiOperation): boolean {
  const { flags } = (request ?? {}) as { readonly flags?: number }
  return operation !== 'createTtl' && (flags === 5 || flags === 6)
}

const isCreateWithoutPath = (request: Request | undefined): boolean =>
  request?.raw !== undefined &&
  request.op.startsWith('create') &&
  request.raw.subarray(0, 4).every((byte) => byte === 255)

function hasUnknownFlag({ request }: MultiOperation): boolean {
  const { flags } = (request ?? {}) as { readonly flags?: number }
  return flags !== undefined && (flags < 0 || flags > createFlags.persistentSequentialWithTtl)
}
