/** What the sessions of a member that does not lead ask of the leader in one turn. */
import { type Forwarded, ForwardWriter } from './request/forward.ts'
import type { Revalidation } from './reign.ts'
import type { LinkId, Turn } from './turn.ts'
import type { ZabMember } from './zab/member.ts'

export class Errands {
  readonly #forwards = new ForwardWriter()
  #syncs: number[] = []
  #revalidations: Revalidation[] = []

  forward(request: Forwarded): void {
    this.#forwards.add(request)
  }

  sync(number: number): void {
    this.#syncs.push(number)
  }

  revalidate(asked: Revalidation): void {
    this.#revalidations.push(asked)
  }

  /** Writes leave before the syncs that wait for them. Without a leader syncs and questions are nobody's. */
  send(zab: ZabMember, link: LinkId | undefined, turn: Turn): void {
    const [syncs, revalidations] = [this.#syncs, this.#revalidations]
    this.#syncs = []
    this.#revalidations = []
    if (link === undefined) return
    if (this.#forwards.byteLength > 0) {
      zab.send(link, { type: 'request', bytes: this.#forwards.take() }, turn)
    }
    for (const asked of revalidations) zab.send(link, { type: 'revalidate', ...asked }, turn)
    for (const number of syncs) zab.send(link, { type: 'sync', number }, turn)
  }

  /** Whoever asked is told that this member serves no longer. */
  forget(): void {
    this.#forwards.take()
  }
}
