/**
 * The leader's prepare stage: requests in the order they came become txns with the next zxids, checked against the
 * pending view. A refused write uses up its zxid too, as in ZooKeeper.
 */
import { bytesOf, type Codec, MalformedFrame, Reader } from '../jute/codec.ts'
import { asSessionId, type Sid, type SessionId, type Zxid } from '../shared/units.ts'
import { configPath } from '../tree/path.ts'
import type { Tree } from '../tree/tree.ts'
import { type Origin, type TxnBody, writeTxn } from '../tree/txn.ts'
import { opcodes, operationOf } from '../wire/opcodes.ts'
import { errorCodes, type Refusal } from '../wire/refusals.ts'
import type { Configuration } from '../zab/configuration.ts'
import { BatchWriter, type LogBatch } from '../zab/log-batch.ts'
import { byItsJudge, type Forwarded } from './forward.ts'
import { operations } from './operations.ts'
import { prepareMulti } from './multi.ts'
import { PendingView } from './pending.ts'
import { type Asker, prepareReap, type QuotaWarning, type Rules } from './prepare.ts'
import { type Ensemble, prepareReconfig } from './prepare-reconfig.ts'

export class Proposer {
  readonly #view: PendingView
  readonly #batch = new BatchWriter()
  /** Which attachment of a session may write, once one is known. */
  readonly #owners = new Map<SessionId, string>()
  #last: Zxid

  readonly #rules: Rules
  readonly #ensemble: Ensemble
  readonly #warn: (warning: QuotaWarning) => void
  /** What the last reconfiguration of this reign made. */
  #reconfigured: Configuration | undefined

  /** `last`: the zxid before the first this leader may give out. */
  constructor(
    tree: Tree,
    last: Zxid,
    rules: Rules,
    ensemble: Ensemble,
    warn: (warning: QuotaWarning) => void,
  ) {
    this.#warn = warn
    this.#view = new PendingView(tree)
    this.#ensemble = ensemble
    this.#rules = rules
    this.#last = last
  }

  /** The zxid given out last. */
  get last(): Zxid {
    return this.#last
  }

  get waitingBytes(): number {
    return this.#batch.byteLength
  }

  /** Turns one request into a txn of the batch under way. */
  prepare(sid: Sid, request: Forwarded, timeMs: number): void {
    const zxid = (this.#last + 1) as Zxid
    this.#last = zxid
    const session = asSessionId(request.session)
    const reader = new Reader(request.frame)
    const [xid, type] = request.frame.length < 8 ? [0, 0] : [reader.int(), reader.int()]
    const { identities, isLocal } = request
    const asker = { session, isLocal, identities, zxid, rules: this.#rules, warn: this.#warn }
    const body = this.#bodyOf(type, reader, asker, ownerOf(sid, request.attachment))
    const header = { session, cxid: xid, zxid, time: timeMs }
    const origin: Origin = { sid, number: request.number }
    const made = body.type === 'reconfig' ? this.#reconfigured : undefined
    this.#batch.add(zxid, (into) => writeTxn(into, origin, header, body), made)
  }

  /** Deletes a container that is empty, or a node past its time, if it still is. */
  reap(path: string, timeMs: number): void {
    const zxid = (this.#last + 1) as Zxid
    const session = asSessionId(0n)
    const prepared = prepareReap(
      path,
      { session, isLocal: false, identities: [], zxid, rules: this.#rules, warn: this.#warn },
      this.#view,
    )
    if (typeof prepared === 'string') return
    this.#last = zxid
    const header = { session, cxid: 0, zxid, time: timeMs }
    this.#batch.add(zxid, (into) => writeTxn(into, { sid: 0, number: 0 }, header, prepared))
  }

  /** The txns prepared since the last call. */
  take(): LogBatch | undefined {
    return this.#batch.take()
  }

  applied(zxid: Zxid): void {
    this.#view.applied(zxid)
  }

  /** Is the session alive? If so, the attachment that asks is the one that may write from now on. */
  revalidate(session: SessionId, sid: Sid, attachment: number): boolean {
    if (!this.#view.hasSession(session)) return false
    this.#owners.set(session, ownerOf(sid, attachment))
    return true
  }

  /** A judge asks for the end of a session that is no more: there is nothing to write, only to wait for. */
  isNeedlessEnd({ attachment, session, frame }: Forwarded): boolean {
    if (attachment !== byItsJudge || this.#view.hasSession(asSessionId(session))) return false
    const reader = new Reader(frame, 4)
    return frame.length >= 8 && reader.int() === opcodes.closeSession.code
  }

  #bodyOf(type: number, reader: Reader, asker: Asker, owner: string): TxnBody {
    try {
      const body = this.#prepareBody(type, reader, asker, owner)
      return typeof body === 'string' ? { type: 'error', err: errorCodes[body] } : body
    } catch (fault) {
      if (!(fault instanceof MalformedFrame)) throw fault
      return { type: 'error', err: errorCodes.MarshallingError }
    }
  }

  #prepareBody(type: number, reader: Reader, asker: Asker, owner: string): TxnBody | Refusal {
    const operation = operationOf(type)
    if (operation === undefined) return 'Unimplemented'
    if (operation === 'createSession') return this.#openSession(reader, asker, owner)
    const meaning = operations[operation]
    if (!asker.isLocal) {
      if (!this.#view.hasSession(asker.session)) return 'SessionExpired'
      // The judge closes a session whoever holds it; every other write is the present attachment's alone.
      if (meaning.kind === 'closeSession') return this.#closeSession(asker)
      const known = this.#owners.get(asker.session)
      if (known === undefined) this.#owners.set(asker.session, owner)
      else if (known !== owner) return 'SessionMoved'
    }
    if (meaning.kind === 'reconfig') return this.#reconfigure(reader, asker)
    if (meaning.kind === 'multi') return prepareMulti(reader, asker, this.#view)
    if (meaning.kind !== 'write') return 'Unimplemented'
    const codec = opcodes[operation].request as Codec<unknown>
    return meaning.prepare(codec.read(reader) as never, asker, this.#view)
  }

  #reconfigure(reader: Reader, asker: Asker): TxnBody | Refusal {
    const request = opcodes.reconfig.request.read(reader)
    const isInProgress = (this.#reconfigured?.version ?? 0) > this.#view.appliedZxid
    const next = prepareReconfig(request, asker, this.#view, this.#ensemble, isInProgress)
    if (typeof next === 'string') return next
    this.#reconfigured = next
    return { type: 'reconfig', path: configPath, data: bytesOf(next.text), version: -1 }
  }

  #openSession(reader: Reader, asker: Asker, owner: string): TxnBody | Refusal {
    const { timeOut } = opcodes.createSession.request.read(reader)
    // A second session of one id would share ephemerals with the first.
    if (this.#view.hasSession(asker.session)) {
      // An upgrade whose asker died before it heard of it: the one that asks again is the present one.
      if (asker.isLocal) this.#owners.set(asker.session, owner)
      return 'NodeExists'
    }
    this.#view.openSession(asker.session, asker.zxid)
    this.#owners.set(asker.session, owner)
    return { type: 'createSession', timeOut }
  }

  #closeSession(asker: Asker): TxnBody {
    for (const path of this.#view.ephemeralsOf(asker.session)) {
      this.#view.removeEphemeral(path, asker.zxid)
    }
    this.#view.closeSession(asker.session, asker.zxid)
    this.#owners.delete(asker.session)
    return { type: 'closeSession' }
  }
}

const ownerOf = (sid: Sid, attachment: number): string => `${sid}:${attachment}`
