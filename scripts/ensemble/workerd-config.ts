/** workerd's configuration: the Worker of wrangler.toml, alone on a machine or as an instance of a cluster. */
import { type Cluster, doorAddress, ownPeer, peerAddress } from './cluster.ts'
import type { Options } from './options.ts'
import type { Entry } from './run.ts'

export interface Paths {
  /** The bundled Worker, from where the configuration lies. */
  readonly worker: string
  /** Where the actors' disks are. */
  readonly actors: string
}

/**
 * How long an instance hands its session actors over when it stops, ms. Clients of an actor that is being handed over
 * wait for half of it, because their connections count as requests under way.
 */
export const stopTimeoutMs = 3000

export function workerdConfig(options: Options, { worker, actors }: Paths, entry: Entry): string {
  const { wrangler, cluster } = options
  const vars = { ...options.vars, FRONT_SECRET: entry.secret }
  const others = cluster === undefined ? [] : otherInstances(cluster)
  const services = [
    '(name = "main", worker = .worker)',
    `(name = "actors", disk = (path = ${text(actors)}, writable = true))`,
    ...others.map(
      ({ sid, peer }) =>
        `(name = "door-${sid}", external = (address = ${text(doorAddress(peer))}, http = (capnpConnectHost = "door")))`,
    ),
  ]
  const bindings = [
    ...Object.entries(vars).map(([name, value]) => `(name = ${text(name)}, text = ${text(value)})`),
    ...wrangler.durable_objects.bindings.map(
      (binding) =>
        `(name = ${text(binding.name)}, durableObjectNamespace = ${text(binding.class_name)})`,
    ),
    ...others.map(({ sid }) => `(name = ${text(`DOOR_${sid}`)}, service = "door-${sid}")`),
  ]
  const namespaces = sqliteClasses(options).map(
    (name) =>
      `(className = ${text(name)}, uniqueKey = ${text(`${wrangler.name}-${name}`)}, enableSql = true)`,
  )
  return `# Written by npm run serve from wrangler.toml and the environment; changes here are lost.
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [${list(services)}],
  sockets = [${list(sockets(options, entry))}],
${cluster === undefined ? '' : clusterConfig(cluster)});

const worker :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed ${text(worker)})],
  compatibilityDate = ${text(wrangler.compatibility_date)},
  compatibilityFlags = [${wrangler.compatibility_flags.map(text).join(', ')}],
  bindings = [${list(bindings)}],
  durableObjectNamespaces = [${list(namespaces)}],
  durableObjectStorage = (localDisk = "actors"),
);
`
}

export function sqliteClasses({ wrangler }: Options): readonly string[] {
  return wrangler.migrations.flatMap((migration) => migration.new_sqlite_classes ?? [])
}

function sockets({ bindAddress, httpPort, cluster }: Options, entry: Entry): readonly string[] {
  const host = bindAddress.includes(':') ? `[${bindAddress}]` : bindAddress
  const own = cluster && ownPeer(cluster)
  const doors =
    own === undefined
      ? []
      : [
          `(name = "door", address = ${text(doorAddress(own))}, http = (capnpConnectHost = "door"), service = (name = "main", entrypoint = "Door"))`,
        ]
  return [
    `(name = "http", address = ${text(`${host}:${httpPort}`)}, http = (), service = "main")`,
    `(name = "front", address = ${text(`${entry.host}:${entry.port}`)}, tcp = (), service = "main")`,
    ...doors,
  ]
}

function clusterConfig(cluster: Cluster): string {
  const { bucket, key } = cluster
  // Everything else about the bucket workerd takes from AWS_… of the environment by itself.
  const isPlain = process.env['AWS_ENDPOINT_URL']?.startsWith('http://') === true
  return `  cluster = (
    bucket = ${text(bucket)},
    bucketOptions = [${isPlain ? '"aws_allow_http=true"' : ''}],
    address = ${text(peerAddress(ownPeer(cluster)))},
    key = ${text(key)},
    stopTimeoutMs = ${stopTimeoutMs},
  ),
`
}

const otherInstances = ({ instance, peers }: Cluster) =>
  peers.map((peer, at) => ({ sid: at + 1, peer })).filter(({ sid }) => sid !== instance)

/** Cap'n Proto's text literals escape as JSON's do. */
function text(value: string): string {
  return JSON.stringify(value)
}

function list(items: readonly string[]): string {
  return items.map((item) => `\n    ${item},`).join('')
}
