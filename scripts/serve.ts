/** `npm run serve`: the same ensemble on your own machine, by plain workerd. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, relative } from 'node:path'
import type { Options } from './ensemble/options.ts'
import { runEnsemble, type Launch } from './ensemble/run.ts'

await runEnsemble({
  name: 'workerd',

  prepare(options: Options, worker: string): Launch {
    const { dataDir, wrangler } = options
    // Where wrangler dev keeps it, under the same keys: either command goes on with what the other left.
    const actors = join(dataDir, 'state/v3/do')
    for (const className of sqliteClasses(options)) {
      mkdirSync(join(actors, `${wrangler.name}-${className}`), { recursive: true })
    }
    const config = join(dataDir, 'workerd.capnp')
    writeFileSync(config, configOf(options, relative(dataDir, worker), actors), { mode: 0o600 })
    return { command: workerdBinary(), args: ['serve', config, 'config'] }
  },

  retell: (line) => line,
})

function configOf(options: Options, worker: string, actors: string): string {
  const { wrangler, vars, bindAddress, httpPort, zkPorts } = options
  const host = bindAddress.includes(':') ? `[${bindAddress}]` : bindAddress
  const bindings = [
    ...Object.entries(vars).map(([name, value]) => `(name = ${text(name)}, text = ${text(value)})`),
    ...wrangler.durable_objects.bindings.map(
      (binding) =>
        `(name = ${text(binding.name)}, durableObjectNamespace = ${text(binding.class_name)})`,
    ),
  ]
  const namespaces = sqliteClasses(options).map(
    (name) =>
      `(className = ${text(name)}, uniqueKey = ${text(`${wrangler.name}-${name}`)}, enableSql = true)`,
  )
  const sockets = [
    `(name = "http", address = ${text(`${host}:${httpPort}`)}, http = (), service = "main")`,
    ...zkPorts.map(
      (port, index) =>
        `(name = "member-${index + 1}", address = ${text(`${host}:${port}`)}, tcp = (), service = "main")`,
    ),
  ]
  return `# Written by npm run serve from wrangler.toml and the environment; changes here are lost.
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),
    (name = "actors", disk = (path = ${text(actors)}, writable = true)),
  ],
  sockets = [${list(sockets)}],
);

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

function sqliteClasses({ wrangler }: Options): readonly string[] {
  return wrangler.migrations.flatMap((migration) => migration.new_sqlite_classes ?? [])
}

/** Cap'n Proto's text literals escape as JSON's do. */
function text(value: string): string {
  return JSON.stringify(value)
}

function list(items: readonly string[]): string {
  return items.map((item) => `\n    ${item},`).join('')
}

/** The binary itself and not the npm package's launcher: one process less to end. */
function workerdBinary(): string {
  const wranglersOwn = createRequire(
    createRequire(import.meta.url).resolve('wrangler/package.json'),
  )
  return (wranglersOwn('workerd') as { default: string }).default
}
