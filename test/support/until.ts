import { setTimeout as delay } from 'node:timers/promises'

/** Asks again and again until the answer is not undefined (or false); says what it waited for when it gives up. */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  { withinMs = 30_000, everyMs = 50 } = {},
): Promise<T> {
  const deadline = performance.now() + withinMs
  let lastError: unknown
  for (;;) {
    try {
      const answer = await ask()
      if (answer !== undefined && answer !== false) return answer
    } catch (error) {
      lastError = error
    }
    if (performance.now() > deadline) {
      throw new Error(`waited ${withinMs} ms for ${what}`, { cause: lastError })
    }
    await delay(everyMs)
  }
}
