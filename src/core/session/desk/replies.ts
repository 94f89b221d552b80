/** Writes replies: what the leader decided, and what this member answers from its own tree. */
import { type Codec, MalformedFrame, Reader } from '../../jute/codec.ts'
import { SetWatches, SetWatches2 } from '../../jute/records.ts'
import { invariant } from '../../shared/assert.ts'
import { asZxid } from '../../shared/units.ts'
import { MultiResponse, readMany } from '../../request/multi-read.ts'
import { operations } from '../../request/operations.ts'
import type { Read } from '../../request/read.ts'
import type { Tree } from '../../tree/tree.ts'
import { opcodes, xids } from '../../wire/opcodes.ts'
import { errorCodes } from '../../wire/refusals.ts'
import type { Attachment, Queued } from './attachment.ts'
import { replyOutcome } from './outcome-reply.ts'
import type { WatchBell } from './watch-bell.ts'

export interface DeskCounters {
  requests: number
  replies: number
  latencySumMs: number
  latencyMinMs: number
  latencyMaxMs: number
}

export class Replies {
  readonly #tree: () => Tree
  readonly #nowMs: () => number
  readonly #bell: WatchBell
  readonly counters: DeskCounters = {
    requests: 0,
    replies: 0,
    latencySumMs: 0,
    latencyMinMs: Infinity,
    latencyMaxMs: 0,
  }

  constructor(tree: () => Tree, nowMs: () => number, bell: WatchBell) {
    this.#tree = tree
    this.#nowMs = nowMs
    this.#bell = bell
  }

  /** Writes the reply to a request that is decided, or that nobody but this member need decide. */
  answer(attachment: Attachment, queued: Queued): 'hangup' | undefined {
    const { edge, slot } = attachment
    const { xid, operation, decided } = queued
    const zxid = this.#tree().applied
    this.#count(attachment, queued)
    if (decided === 'synced') return this.#answerSync(attachment, queued)
    if (decided === 'proved') {
      edge.outbox.reply(slot, xid, noZxid, 0)
      return undefined
    }
    if (decided === 'closed') {
      edge.outbox.reply(slot, xid, zxid, 0)
      return undefined
    }
    if (decided !== undefined && 'refusal' in decided) {
      const { refusal, isLast } = decided
      edge.outbox.reply(slot, xid, isLast ? noZxid : zxid, errorCodes[refusal])
      return isLast ? 'hangup' : undefined
    }
    if (decided !== undefined) {
      const { err } = decided.outcome
      if (err === errorCodes.SessionMoved) return 'hangup'
      replyOutcome(edge.outbox, slot, xid, zxid, decided.body, decided.outcome)
      return undefined
    }
    const meaning = operation === undefined ? undefined : operations[operation]
    if (operation === undefined || meaning?.kind === 'absent') {
      edge.outbox.reply(slot, xid, ofNoTxn, errorCodes.Unimplemented)
      return 'hangup'
    }
    try {
      this.#answerLocally(attachment, queued, operation)
    } catch (fault) {
      if (!(fault instanceof MalformedFrame)) throw fault
      edge.outbox.reply(slot, xid, zxid, errorCodes.MarshallingError)
    }
    return undefined
  }

  #count(attachment: Attachment, { atMs }: Queued): void {
    const { counters } = this
    const tookMs = this.#nowMs() - atMs
    attachment.sent += 1
    counters.replies += 1
    counters.latencySumMs += tookMs
    if (tookMs > counters.latencyMaxMs) counters.latencyMaxMs = tookMs
    if (tookMs < counters.latencyMinMs) counters.latencyMinMs = tookMs
  }

  #answerLocally(attachment: Attachment, queued: Queued, operation: keyof typeof operations): void {
    const { edge, slot } = attachment
    const { xid, frame } = queued
    const zxid = this.#tree().applied
    const meaning = operations[operation]
    if (meaning.kind === 'ping') return edge.outbox.reply(slot, xids.ping, zxid, 0)
    const body = new Reader(frame, 8)
    if (meaning.kind === 'setWatches') {
      const record = operation === 'setWatches' ? SetWatches : SetWatches2
      this.#bell.rearm(attachment, record.read(body))
      return edge.outbox.reply(slot, xid, zxid, 0)
    }
    // Its bytes were no packet when it came in.
    if (meaning.kind === 'auth')
      return edge.outbox.reply(slot, xid, zxid, errorCodes.MarshallingError)
    // Without SASL configured ZooKeeper answers with no token.
    if (meaning.kind === 'sasl') {
      return edge.outbox.reply(slot, xid, noZxid, 0, opcodes.sasl.reply, { token: null })
    }
    const context = {
      tree: this.#tree(),
      session: attachment.session,
      identities: queued.identities,
      watches: this.#bell.of(attachment),
    }
    if (meaning.kind === 'multiRead') {
      return edge.outbox.reply(slot, xid, zxid, 0, MultiResponse, readMany(body, context))
    }
    invariant(meaning.kind === 'read', 'what the leader need not decide is read here')
    const { request, reply } = opcodes[operation]
    const read: Read<unknown> = meaning.read(
      (request as Codec<unknown>).read(body) as never,
      context,
    )
    if (typeof read === 'string') return edge.outbox.reply(slot, xid, zxid, errorCodes[read])
    edge.outbox.reply(slot, xid, zxid, 0, reply as Codec<unknown>, read.value)
  }

  #answerSync(attachment: Attachment, { xid, frame }: Queued): undefined {
    const { edge, slot } = attachment
    const zxid = this.#tree().applied
    try {
      const request = opcodes.sync.request.read(new Reader(frame, 8))
      edge.outbox.reply(slot, xid, zxid, 0, opcodes.sync.reply, request)
    } catch (fault) {
      if (!(fault instanceof MalformedFrame)) throw fault
      edge.outbox.reply(slot, xid, zxid, errorCodes.MarshallingError)
    }
  }
}

/** Replies about authentication carry no zxid. */
const noZxid = asZxid(0)
/** ZooKeeper's answer to what is no operation. */
const ofNoTxn = asZxid(-1)
