/** The reply to a write: what its txn did, in the shape the operation's reply has. */
import * as jute from '../../jute/records.ts'
import { invariant } from '../../shared/assert.ts'
import type { Zxid } from '../../shared/units.ts'
import type { Outcome } from '../../tree/tree.ts'
import type { Change, TxnBody } from '../../tree/txn.ts'
import { MultiResponse } from '../../request/multi-read.ts'
import type { MultiResult } from '../../wire/multi.ts'
import type { EdgeOutbox } from './edge-outbox.ts'

/** Writes the reply of an applied txn for the client in `slot`. */
export function replyOutcome(
  outbox: EdgeOutbox,
  slot: number,
  xid: number,
  zxid: Zxid,
  body: TxnBody,
  outcome: Outcome,
): void {
  const { err, path, stat } = outcome
  if (err !== 0) return outbox.reply(slot, xid, zxid, err)
  if (body.type === 'multi') {
    const results = body.changes.map((change, at) => resultOf(change, outcome.parts?.[at]))
    return outbox.reply(slot, xid, zxid, 0, MultiResponse, results)
  }
  if (body.type === 'create')
    return outbox.reply(slot, xid, zxid, 0, jute.PathResponse, { path: must(path) })
  if (path !== undefined) {
    return outbox.reply(slot, xid, zxid, 0, jute.PathAndStatResponse, { path, stat: must(stat) })
  }
  if (body.type === 'reconfig') {
    return outbox.reply(slot, xid, zxid, 0, jute.GetDataResponse, {
      data: body.data,
      stat: must(stat),
    })
  }
  if (stat !== undefined) return outbox.reply(slot, xid, zxid, 0, jute.StatResponse, { stat })
  outbox.reply(slot, xid, zxid, 0)
}

function resultOf(change: Change, outcome: Outcome | undefined): MultiResult {
  const { err, path, stat } = must(outcome)
  switch (change.type) {
    case 'error':
      return { err }
    case 'create':
      return { operation: 'create', reply: { path } }
    case 'create2':
    case 'createContainer':
    case 'createTtl':
      return { operation: 'create2', reply: { path, stat } }
    case 'setData':
      return { operation: 'setData', reply: { stat } }
    case 'delete':
    case 'check':
      return { operation: change.type, reply: undefined }
    case 'setAcl':
    case 'reconfig':
    case 'deleteContainer':
    case 'createSession':
    case 'closeSession':
      return invariant(false, `a multi holds no ${change.type}`) as never
  }
}

function must<T>(value: T | undefined): T {
  invariant(value !== undefined, 'an outcome asked for with stats has them')
  return value
}
