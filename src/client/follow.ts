/** A node's value as it changes, for `for await`. */
import type { Value } from './answers.ts'
import type { Client } from './client.ts'
import { ZooKeeperError } from './errors.ts'
import type { WatchEvent } from './watch.ts'

/**
 * Yields what is at `path` now, and again after every change: its value, or undefined while there is no node. Changes that
 * come faster than they are taken are skipped; the newest is not. Throws SessionExpired or SessionClosed when the
 * session ends.
 *
 *     for await (const value of follow(client, '/config')) apply(value?.data)
 */
export async function* follow(client: Client, path: string): AsyncGenerator<Value | undefined> {
  for (;;) {
    const { promise: changed, resolve: watch } = Promise.withResolvers<WatchEvent>()
    const value = await valueOrGap(client, path, watch)
    if (value === 'moved') continue
    yield value
    await changed
  }
}

async function valueOrGap(
  client: Client,
  path: string,
  watch: (event: WatchEvent) => void,
): Promise<Value | undefined | 'moved'> {
  try {
    return await client.get(path, { watch })
  } catch (error) {
    if (!(error instanceof ZooKeeperError)) throw error
    if (error.code === 'ConnectionLoss') return 'moved'
    if (error.code !== 'NoNode') throw error
  }
  try {
    return (await client.exists(path, { watch })) === undefined ? undefined : 'moved'
  } catch (error) {
    if (error instanceof ZooKeeperError && error.code === 'ConnectionLoss') return 'moved'
    throw error
  }
}
