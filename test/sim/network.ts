/** What the network does to what members say. Every delay is in virtual milliseconds. */
import type { Sid } from '../../src/core/shared/units.ts'
import type { Notification, Packet } from '../../src/core/zab/messages.ts'

export interface Network {
  /** When copies of this note arrive; none if it is lost. */
  noteDelaysMs(from: Sid, to: Sid, note: Notification): readonly number[]
  /** The note as it arrives. */
  forge(note: Notification): Notification
  forgePacket(packet: Packet): Packet
  /** How long a message takes on a link; undefined: the link breaks; Infinity: it is never heard of again. */
  linkDelayMs(from: Sid, to: Sid): number | undefined
  /** How long it takes to make a link; undefined: it cannot be made. */
  connectDelayMs(from: Sid, to: Sid): number | undefined
  /** How long until a persist is durable. */
  diskDelayMs(sid: Sid): number
}

/** Everything takes a millisecond and arrives, except what a test cuts, holds or loses. */
export class CalmNetwork implements Network {
  readonly cut = new Set<string>()
  readonly silent = new Set<string>()
  readonly slowDisks = new Map<Sid, number>()
  readonly slowPairs = new Map<string, number>()
  losesNote: (from: Sid, to: Sid) => boolean = () => false

  noteDelaysMs(from: Sid, to: Sid): readonly number[] {
    if (this.isCut(from, to) || this.losesNote(from, to)) return []
    return [this.#delayMs(from, to)]
  }

  forge(note: Notification): Notification {
    return note
  }

  forgePacket(packet: Packet): Packet {
    return packet
  }

  linkDelayMs(from: Sid, to: Sid): number | undefined {
    return this.isCut(from, to) ? undefined : this.#delayMs(from, to)
  }

  connectDelayMs(from: Sid, to: Sid): number | undefined {
    return this.linkDelayMs(from, to)
  }

  diskDelayMs(sid: Sid): number {
    return this.slowDisks.get(sid) ?? 1
  }

  isCut(from: Sid, to: Sid): boolean {
    return this.cut.has(pair(from, to)) || this.cut.has(pair(to, from))
  }

  #delayMs(from: Sid, to: Sid): number {
    return this.silent.has(pair(from, to)) ? Infinity : (this.slowPairs.get(pair(from, to)) ?? 1)
  }
}

export const pair = (from: Sid, to: Sid): string => `${from}→${to}`
