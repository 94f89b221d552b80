/** A client against a server and a clock by hand. */
import { afterEach, beforeEach, vi } from 'vitest'
import { type ClientOptions, connect, type State } from '../../src/client/index.ts'
import { Scripted } from './scripted.ts'

/** Time stands still unless a test moves it, and chance always says 0. */
export function stopTheClock(): void {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    vi.spyOn(Math, 'random').mockReturnValue(0)
  })
  afterEach(() => {
    vi.useRealTimers()
    vi.restoreAllMocks()
  })
}

const server = 'ws://host/session'

export function begin(options: ClientOptions = {}, url: string | string[] = server) {
  const scripted = new Scripted()
  const retryDelayMs = { first: 100, max: 800 }
  const client = connect(url, { transport: scripted.dial, retryDelayMs, ...options })
  const states: State[] = []
  client.onState((state) => states.push(state))
  return { scripted, client, states }
}

/** How it ended: `granted`, or the code it was refused with. */
export const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'granted',
    (error: { code: string }) => error.code,
  )
