/** The states of a session as its client sees them, and the ways between them. */
import { invariant } from '../core/shared/assert.ts'

export const transitions = {
  connecting: ['connected', 'expired', 'closed'],
  connected: ['suspended', 'closed', 'authFailed'],
  suspended: ['connected', 'expired', 'closed'],
  expired: [],
  closed: [],
  authFailed: [],
} as const satisfies Record<string, readonly string[]>

/**
 * `connecting`: no server has answered yet. Operations wait.
 * `connected`: a server serves the session.
 * `suspended`: the link is lost and a new one is sought. Operations wait. The session may already be over at the
 * server; only a server can say so, so the client stays suspended until one does, however long that takes. Who holds a
 * lock must stop trusting it now.
 * `expired`: a server said that the session is over: its ephemerals are gone, its watches will not fire. Final.
 * `closed`: by `close` or `leave`. Final.
 * `authFailed`: the server refused an `addAuth` and hung up. Final; the session at the server ends after its timeout.
 */
export type State = keyof typeof transitions

export type FinalState = 'expired' | 'closed' | 'authFailed'

export const isFinal = (state: State): state is FinalState => transitions[state].length === 0

export type StateListener = (state: State, before: State) => void

/** Holds the state and tells listeners of each change, in order, each in a microtask of its own. */
export class SessionState {
  #now: State = 'connecting'
  readonly #listeners = new Set<StateListener>()

  get now(): State {
    return this.#now
  }

  become(next: State): void {
    const before = this.#now
    const allowed: readonly State[] = transitions[before]
    invariant(allowed.includes(next), `a ${before} session does not become ${next}`)
    this.#now = next
    for (const listener of this.#listeners) queueMicrotask(() => listener(next, before))
  }

  /** Returns the function that takes the listener away again. */
  listen(listener: StateListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}
