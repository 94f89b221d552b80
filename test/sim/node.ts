/** One incarnation of a member, whatever of it is simulated: its links, its timer, and how far its disk is. */
import type { Sid } from '../../src/core/shared/units.ts'
import type { LinkId, PeerInput, Persist, Turn } from '../../src/core/turn.ts'
import type { ZabMember } from '../../src/core/zab/member.ts'

export abstract class Node {
  readonly sid: Sid
  /** Ends of links as this incarnation numbers them. */
  readonly links = new Map<LinkId, LinkEnd>()
  isAlive = true
  diedMs = Infinity
  nextLink = 1
  /** When the timer that is set will ring. */
  wakeAtMs = Infinity
  /** When the last write asked for is durable. */
  durableMs = 0
  /** Numbers of the last persist on disk, and of the last one the member was told of. */
  durable = 0
  reported = 0

  constructor(sid: Sid) {
    this.sid = sid
  }

  abstract get member(): ZabMember
  abstract start(nowMs: number): Turn
  abstract receive(nowMs: number, input: PeerInput): Turn
  /** A persist is on its way to the disk: readable at once, safe when the answer is called. */
  abstract write(persist: Persist): () => void
}

/** One end of a link. */
export interface LinkEnd {
  readonly link: LinkId
  readonly node: Node
  readonly incoming: boolean
  other: LinkEnd | undefined
  /** When the last thing sent from this end arrives: nothing overtakes it. */
  arrivesMs: number
  isOpen: boolean
  /** Something sent from here was never heard of again, and neither is what follows it. */
  isMute: boolean
}
