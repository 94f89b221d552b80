/** All or nothing: every operation of a multi is prepared upon the ones before it, or none is. */
import type { Reader } from '../jute/codec.ts'
import type { Acl } from '../jute/records.ts'
import { limits } from '../shared/limits.ts'
import { bytesOfAcl } from '../tree/acl.ts'
import type { Change, TxnBody } from '../tree/txn.ts'
import { type MultiOperation, readMultiRequest } from '../wire/multi.ts'
import { createFlags, type Operation } from '../wire/opcodes.ts'
import { errorCodes } from '../wire/refusals.ts'
import { operations } from './operations.ts'
import type { PendingView } from './pending.ts'
import { type Asker, type Prepared, prepareCheck } from './prepare.ts'

/**
 * The txn of a multi; where an operation was refused, one that changes nothing and tells each operation's fate: 0
 * before the refused one, its code, −2 after it. Throws MalformedFrame.
 */
export function prepareMulti(
  body: Reader,
  asker: Asker,
  view: PendingView,
): TxnBody | 'MarshallingError' {
  const asked = readMultiRequest(body)
  if (!asked.every(isAllowed) || !asked.every(hasGoodFlag)) return 'MarshallingError'
  const changes: Change[] = []
  let refusal: number | undefined
  let isSpoilt = false
  let aclGrowth = 0
  view.allOrNothing(() => {
    for (const operation of asked) {
      isSpoilt = lacksTtl(operation)
      if (isSpoilt) return false
      const prepared = prepareOne(operation, asker, view)
      if (typeof prepared === 'string') {
        refusal = errorCodes[prepared]
        return false
      }
      changes.push(prepared)
      aclGrowth += growthOfAcl(operation, prepared)
      isSpoilt = aclGrowth > limits.aclGrowthBytesMax
      if (isSpoilt) return false
    }
    return true
  })
  if (isSpoilt) return 'MarshallingError'
  if (refusal === undefined) return { type: 'multi', changes }
  return { type: 'multi', changes: fates(asked.length, changes.length, refusal) }
}

function fates(count: number, failedAt: number, refusal: number): Change[] {
  const fate = (at: number): number => {
    if (at < failedAt) return 0
    return at === failedAt ? refusal : errorCodes.RuntimeInconsistency
  }
  return Array.from({ length: count }, (_, at) => ({ type: 'error', err: fate(at) }))
}

function isAllowed({ operation }: MultiOperation): boolean {
  const meaning = operations[operation]
  return operation === 'check' || (meaning.kind === 'write' && meaning.inMulti)
}

/** A create whose flag is none spoils the whole multi, wherever it stands (Op). */
function hasGoodFlag({ request }: MultiOperation): boolean {
  const { flags = createFlags.persistent } = request as { readonly flags?: number }
  return flags >= createFlags.persistent && flags <= createFlags.persistentSequentialWithTtl
}

/** One that wants a time to live and has no field for it spoils the multi when its turn comes. */
function lacksTtl({ operation, request }: MultiOperation): boolean {
  const { flags = createFlags.persistent } = request as { readonly flags?: number }
  return operation !== 'createTtl' && flags >= createFlags.persistentWithTtl
}

function growthOfAcl({ request }: MultiOperation, prepared: Change): number {
  if (!('acl' in prepared)) return 0
  return bytesOfAcl(prepared.acl) - bytesOfAcl((request as { readonly acl: readonly Acl[] }).acl)
}

function prepareOne(
  { operation, request }: MultiOperation,
  asker: Asker,
  view: PendingView,
): Prepared {
  if (operation === 'check') return prepareCheck(request as never, asker, view)
  const meaning = operations[meantBy(operation, request)]
  return meaning.kind === 'write' ? meaning.prepare(request as never, asker, view) : 'BadArguments'
}

/** ZooKeeper goes by the flag: what makes a container is createContainer, every other is create, without a stat. */
function meantBy(operation: Operation, request: unknown): Operation {
  if (operation !== 'create' && operation !== 'create2' && operation !== 'createContainer') {
    return operation
  }
  const { flags } = request as { readonly flags: number }
  return flags === createFlags.container ? 'createContainer' : 'create'
}
