/** How recipes wait: through lost links, for events, and until told to stop. */
import {
  type Client,
  type WatchEvent,
  type WatchListener,
  ZooKeeperError,
} from '../client/index.ts'

/** What every recipe that waits takes. */
export interface Waiting {
  /** Aborted, the wait ends: its promise rejects with the signal's reason, and nothing is left behind at the server. */
  readonly signal?: AbortSignal
}

/** Asks again when no reply came: for what may be asked twice. Meanwhile the client finds a new link. */
export async function persistently<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      if (!isUnknown(error)) throw error
    }
  }
}

/** Was it refused with one of these codes? */
export const isRefusal = (error: unknown, ...codes: readonly string[]): error is ZooKeeperError =>
  error instanceof ZooKeeperError && codes.includes(error.code)

/** Was there no reply, so that nobody knows whether it took effect? */
export const isUnknown = (error: unknown): error is ZooKeeperError =>
  isRefusal(error, 'ConnectionLoss', 'RequestTimeout')

/** As the promise, unless the signal is aborted first. */
export async function orAborted<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  if (signal === undefined) return promise
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const abort = () => reject(signal.reason)
  if (signal.aborted) abort()
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

/** A watch, and the promise of what it tells first. */
export function bell(): { readonly watch: WatchListener; readonly rung: Promise<WatchEvent> } {
  const { promise: rung, resolve: watch } = Promise.withResolvers<WatchEvent>()
  return { watch, rung }
}

/** Resolves when there is no node at `path`. */
export async function untilGone(
  client: Client,
  path: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (;;) {
    const { watch, rung } = bell()
    try {
      // Not `exists`: its watch would stay where the node is already gone.
      await persistently(() => client.get(path, { watch }))
    } catch (error) {
      if (isRefusal(error, 'NoNode')) return
      throw error
    }
    await orAborted(rung, signal)
  }
}

/** Deletes a node; that there is none is as good. */
export async function remove(client: Client, path: string): Promise<void> {
  try {
    await persistently(() => client.delete(path))
  } catch (error) {
    if (!isRefusal(error, 'NoNode')) throw error
  }
}

/** Makes the node a recipe lives below, and its parents: containers, which the server deletes when nobody is left. */
export async function prepareGround(client: Client, path: string): Promise<void> {
  for (;;) {
    try {
      await persistently(() => client.createContainer(path))
      return
    } catch (error) {
      if (isRefusal(error, 'NodeExists')) return
      if (!isRefusal(error, 'NoNode') || path.lastIndexOf('/') <= 0) throw error
      await prepareGround(client, path.slice(0, path.lastIndexOf('/')))
    }
  }
}

/** Asks, and where the ground is missing, or was reaped since, makes it and asks again. */
export async function onGround<T>(client: Client, path: string, ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      if (!isRefusal(error, 'NoNode')) throw error
      await prepareGround(client, path)
    }
  }
}

export const textOf = (data: Uint8Array | null): string => new TextDecoder().decode(data ?? nothing)

const nothing = new Uint8Array(0)
