/**
 * npm’s `zookeeper`, the binding of the C client, told to do everything a stock client does. Prints one line a step.
 * A program of its own, because the binding is compiled for the Node that npm runs on.
 *
 *     node zookeeper-binding.cjs HOST:PORT,HOST:PORT,…
 */
const { Promise: ZooKeeper } = require('zookeeper')

const hosts = process.argv[2]
const members = hosts.split(',')
const step = (name, value) => console.log(`${name}: ${JSON.stringify(value)}`)

const connect = (to) =>
  new Promise((resolve, reject) => {
    const client = new ZooKeeper({
      connect: to,
      timeout: 5000,
      debug_level: ZooKeeper.constants.ZOO_LOG_LEVEL_ERROR,
      host_order_deterministic: true,
    })
    client.connect(client.config, (error) => (error ? reject(error) : resolve(client)))
  })

const refused = (call) =>
  call.then(
    () => 'not refused',
    (error) => error.message,
  )

async function main() {
  const { ZOO_EPHEMERAL, ZOO_SEQUENCE } = ZooKeeper.constants
  const client = await connect(hosts)
  step('create', await client.create('/z', 'one', 0))
  step('create ephemeral', await client.create('/z/e', '', ZOO_EPHEMERAL))
  step('create sequential', await client.create('/z/s', '', ZOO_SEQUENCE))
  step('create both', await client.create('/z/es', '', ZOO_EPHEMERAL | ZOO_SEQUENCE))
  const [stat, content] = await client.get('/z', false)
  step('get', [content.toString(), stat.version, stat.cversion, stat.numChildren])
  step('set', (await client.set('/z', 'two!', 0)).dataLength)
  step('children', (await client.get_children('/z', false)).sort())
  const [names, parent] = await client.get_children2('/z', false)
  step('children2', [names.length, parent.version])
  step('exists', (await client.exists('/z/e', false)).createdInThisSession)
  const [acl] = await client.get_acl('/z') // and no set_acl: the binding sends it without permissions
  step('acl', acl)
  step('sync', await client.sync('/z'))

  step('no node', await refused(client.get('/nowhere', false)))
  step('exists already', await refused(client.create('/z', '', 0)))
  step('bad version', await refused(client.set('/z', '', 7)))
  step('not empty', await refused(client.delete_('/z', -1)))
  step('below an ephemeral', await refused(client.create('/z/e/x', '', 0)))

  const other = await connect(members[1])
  const events = []
  const heard = new Promise((resolve) => {
    client
      .w_get('/z', (type, state, path) => resolve(events.push([type, state, path])))
      .catch(resolve)
  })
  await client.sync('/z')
  await other.set('/z', 'by another', -1)
  await heard
  step('data watch', events)

  const many = await Promise.all(
    Array.from({ length: 300 }, () => client.create('/z/n-', '', ZOO_SEQUENCE)),
  )
  const isInOrder = many.every((name, at) => at === 0 || name > many[at - 1])
  step('pipelined in order', many.length === 300 && isInOrder)

  await other.create('/z/owned', '', ZOO_EPHEMERAL)
  await client.sync('/z') // the first member may be a moment behind the second
  const vanished = new Promise((resolve, reject) => {
    client.w_exists('/z/owned', resolve).then(() => other.close(), reject)
  })
  await vanished
  step('ephemeral vanishes', await refused(client.exists('/z/owned', false)))

  for (const name of await client.get_children('/z', false)) await client.delete_(`/z/${name}`, -1)
  await client.delete_('/z', -1)
  step('deleted', await refused(client.exists('/z', false)))
  client.close()
}

main().then(
  () => process.exit(0),
  (error) => {
    console.error(error)
    process.exit(1)
  },
)
