/**
 * Where sessions come to a member: new ones, and those that another served before. What their actors ask about them,
 * their end too, is asked of the leader here.
 */
import { asSessionId, type SessionId } from '../../shared/units.ts'
import type { Tree } from '../../tree/tree.ts'
import { Attachment, type Edge } from './attachment.ts'
import { type UpMessage, verdicts } from '../edge-messages.ts'
import type { Edges } from './edges.ts'
import type { ListQuestion, Outstanding } from './outstanding.ts'
import type { AskedWatches } from './rearm.ts'
import type { WatchBell } from './watch-bell.ts'

type Ask<Type extends UpMessage['type']> = UpMessage & { readonly type: Type }

export class Reception {
  readonly #tree: () => Tree
  readonly #edges: Edges
  readonly #outstanding: Outstanding
  readonly #bell: WatchBell
  readonly #beginsLocal: boolean
  /** There is no quorum: only reads are served, and only to clients that take that. */
  isReadOnly = false

  constructor(
    tree: () => Tree,
    edges: Edges,
    outstanding: Outstanding,
    bell: WatchBell,
    localSessionsEnabled: boolean,
  ) {
    this.#tree = tree
    this.#edges = edges
    this.#outstanding = outstanding
    this.#bell = bell
    this.#beginsLocal = localSessionsEnabled
  }

  open(edge: Edge, asked: Ask<'open'>): void {
    const attachment = this.#attach(edge, asked)
    if (attachment === undefined) return
    if (!this.isReadOnly && !this.#beginsLocal) {
      return this.#outstanding.createSession('open', attachment)
    }
    attachment.isLocal = true
    this.#answer(attachment, this.isReadOnly ? verdicts.readOnly : verdicts.local)
  }

  /** The leader has decided about a session to be made. */
  opened(attachment: Attachment, err: number): void {
    if (attachment.isOver) return
    this.#answer(attachment, err === 0 ? verdicts.alive : verdicts.taken)
  }

  resume(edge: Edge, asked: Ask<'resume'>): void {
    const attachment = this.#attach(edge, asked)
    if (attachment === undefined) return
    attachment.resuming = [{ relativeZxid: asked.lastZxid, ...asked }]
    const isGlobal = this.#tree().sessions.has(attachment.session)
    attachment.isLocal = asked.isLocal && !isGlobal
    if (this.isReadOnly) {
      // A session we know nothing of may be alive all the same, where the quorum is.
      const isKnown = isGlobal || asked.isLocal
      return this.#resumed(attachment, isKnown ? verdicts.readOnly : verdicts.unwelcome)
    }
    if (attachment.isLocal) return this.#resumed(attachment, verdicts.local)
    this.#outstanding.revalidate(attachment)
  }

  /** The leader says whether a session lives that is to be resumed. */
  revalidated(attachment: Attachment, isAlive: boolean): void {
    if (attachment.isOver) return
    this.#resumed(attachment, isAlive ? verdicts.alive : verdicts.gone)
  }

  rearm(edge: Edge, message: Ask<'rearm'>): void {
    const attachment = edge.slots.get(message.slot)
    if (attachment === undefined) return
    const asked: AskedWatches = { relativeZxid: message.lastZxid, ...message }
    if (attachment.resuming !== undefined) attachment.resuming.push(asked)
    else this.#bell.rearm(attachment, asked)
  }

  /** A txn made the local session a global one. */
  upgraded(attachment: Attachment): void {
    if (attachment.isOver) return
    attachment.edge.outbox.send({ type: 'upgraded', slot: attachment.slot })
  }

  expire(edge: Edge, session: SessionId): void {
    // Without a quorum no session ends; its actor asks again, or somebody else.
    if (!this.isReadOnly) this.#outstanding.closeSession(edge, session)
  }

  expired(edge: Edge, session: SessionId): void {
    edge.outbox.send({ type: 'expired', session })
  }

  /** An actor that asks which sessions it has must hear of the newest too, or nobody would judge them. */
  list(edge: Edge, asked: ListQuestion): void {
    if (!this.isReadOnly) this.#outstanding.sync({ type: 'list', edge, asked })
  }

  /** The tree is as new as the question. */
  answerList(edge: Edge, asked: ListQuestion): void {
    const sessions = []
    for (const [session, timeoutMs] of this.#tree().sessions) {
      if (session >= asked.idsFrom && session <= asked.idsTo) sessions.push({ session, timeoutMs })
    }
    edge.outbox.send({ type: 'sessions', number: asked.number, sessions })
  }

  /** Undefined: the client may not come in, and its actor was told why. */
  #attach(edge: Edge, asked: Ask<'open' | 'resume'>): Attachment | undefined {
    const { slot } = asked
    this.#edges.makeWay(edge, asSessionId(asked.session), slot)
    const refusal = this.#whyNot(asked)
    if (refusal !== undefined) {
      edge.outbox.send({ type: 'attached', slot, verdict: refusal })
      return undefined
    }
    const attachment = new Attachment(edge, this.#outstanding.nextNumber(), asked)
    this.#edges.attach(attachment)
    return attachment
  }

  #whyNot(asked: Ask<'open' | 'resume'>): number | undefined {
    if (asked.lastZxid > this.#tree().applied) return verdicts.behind
    if (this.isReadOnly && !asked.canBeReadOnly) return verdicts.unwelcome
    return this.#edges.admit(asked.address) ? undefined : verdicts.crowded
  }

  #resumed(attachment: Attachment, verdict: number): void {
    this.#answer(attachment, verdict)
    const watches = attachment.resuming ?? []
    attachment.resuming = undefined
    if (!attachment.isOver) for (const asked of watches) this.#bell.rearm(attachment, asked)
  }

  #answer(attachment: Attachment, verdict: number): void {
    const { edge, slot } = attachment
    edge.outbox.send({ type: 'attached', slot, verdict })
    const isServed =
      verdict === verdicts.alive || verdict === verdicts.local || verdict === verdicts.readOnly
    if (!isServed) this.#edges.detach(attachment)
  }
}
