/** What node-zookeeper-client is made to do while it is recorded. */
import zookeeper from 'node-zookeeper-client'
import type { Proxy } from './sessions.ts'

/** Its types name few of its operations. */
type Ask = (this: unknown, ...args: readonly unknown[]) => void

export async function nodeZookeeperClient(proxy: Proxy): Promise<void> {
  const client = zookeeper.createClient(`127.0.0.1:${proxy.port}`, {
    sessionTimeout: 4000,
    spinDelay: 200,
    retries: 0,
  })
  const connected = new Promise<void>((resolve) => client.once('connected', () => resolve()))
  client.connect()
  await connected
  const ask = (operation: string, ...args: readonly unknown[]) =>
    new Promise((resolve) => {
      const asked = (client as unknown as Record<string, Ask>)[operation]
      asked?.call(client, ...args, (_error: unknown, answer: unknown) => resolve(answer))
    })
  const watch = () => {}
  const { CreateMode } = zookeeper
  const { OPEN_ACL_UNSAFE: openAcl } = zookeeper.ACL as unknown as { OPEN_ACL_UNSAFE: unknown }

  await ask('create', '/n', Buffer.from('one'))
  await ask('create', '/n')
  await ask('create', '/n/e', null, CreateMode.EPHEMERAL)
  await ask('create', '/n/s-', Buffer.from('two'), CreateMode.PERSISTENT_SEQUENTIAL)
  await ask('create', '/n/es-', Buffer.alloc(0), CreateMode.EPHEMERAL_SEQUENTIAL)
  await ask('exists', '/n/later', watch)
  await ask('create', '/n/later')
  await ask('exists', '/n/later', watch)
  await ask('getData', '/n', watch)
  await ask('getChildren', '/n', watch)
  await ask('setData', '/n', Buffer.from('grün'), 0)
  await ask('setData', '/n', Buffer.from('three'), 9)
  await ask('getACL', '/n')
  await ask('setACL', '/n', openAcl, -1)
  await ask('remove', '/n/later', -1)
  await ask('getData', '/no')
  await transaction(
    client
      .transaction()
      .create('/n/t')
      .check('/n', 1)
      .setData('/n', Buffer.from('x'))
      .remove('/n/t'),
  )
  await transaction(client.transaction().create('/n/t').remove('/n', 77).create('/n/u'))

  // Watches of every kind, a cut link, and their return by setWatches; one of them fires.
  await ask('getData', '/n', watch)
  await ask('getChildren', '/n', watch)
  await ask('exists', '/n/never', watch)
  const again = new Promise<void>((resolve) => client.once('connected', () => resolve()))
  proxy.cut()
  await again
  await ask('setData', '/n', Buffer.from('y'), -1)
  await pause(2500) // long enough for a ping
  client.close()
  await pause(500)
}

const transaction = (steps: { commit(done: () => void): void }) =>
  new Promise<void>((resolve) => steps.commit(() => resolve()))

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
