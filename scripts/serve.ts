/** `npm run serve`: the same ensemble on your own machine, by plain workerd; or one instance of a cluster of machines. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, relative } from 'node:path'
import { SettingsError } from '../src/core/shared/read-settings.ts'
import type { Options } from './ensemble/options.ts'
import { type Entry, runEnsemble, type Launch } from './ensemble/run.ts'
import { sqliteClasses, stopTimeoutMs, workerdConfig } from './ensemble/workerd-config.ts'

await runEnsemble({
  name: 'workerd',

  prepare(options: Options, worker: string, entry: Entry): Launch {
    const { dataDir, wrangler, cluster } = options
    const require = createRequire(import.meta.url)
    // Where wrangler dev keeps it, under the same keys: either command goes on with what the other left. An instance of
    // a cluster keeps copies of what is in the bucket, and workerd refuses a folder that has anything else.
    const actors = join(dataDir, cluster === undefined ? 'state/v3/do' : 'cluster')
    for (const className of sqliteClasses(options)) {
      mkdirSync(join(actors, `${wrangler.name}-${className}`), { recursive: true })
    }
    const config = join(dataDir, 'workerd.capnp')
    const paths = { worker: relative(dataDir, worker), actors }
    writeFileSync(config, workerdConfig(options, paths, entry), { mode: 0o600 })
    const args = ['serve', config, 'config']
    if (cluster === undefined) return { command: wranglersWorkerd(require), args }
    return {
      command: clusterWorkerd(require),
      args: [...args, '--experimental'],
      graceMs: stopTimeoutMs + 1000,
    }
  },

  retell: (line) => line,
})

/** The binary itself and not the npm package's launcher: one process less to end. */
function wranglersWorkerd(require: NodeJS.Require): string {
  const wranglersOwn = createRequire(require.resolve('wrangler/package.json'))
  return (wranglersOwn('workerd') as { default: string }).default
}

/** Clusters need a newer workerd than our wrangler has; it comes for Linux only. */
function clusterWorkerd(require: NodeJS.Require): string {
  try {
    return require.resolve(`workerd-cluster-${process.platform}-${process.arch}/bin/workerd`)
  } catch {
    throw new SettingsError([
      `INSTANCE is set, but workerd-cluster-${process.platform}-${process.arch} is not installed: npm ci brings it on Linux (x64, arm64)`,
    ])
  }
}
