/** The Worker as one file in the data folder: both commands run the same bytes, and neither notices edited sources. */
import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { build, stop } from 'esbuild'
import { projectDir, type Options } from './options.ts'

/** Returns the bundle's path. It has a folder to itself, because wrangler reloads when anything beside it changes. */
export async function bundleWorker(options: Options): Promise<string> {
  const outfile = join(options.dataDir, 'worker', 'worker.js')
  mkdirSync(join(options.dataDir, 'worker'), { recursive: true })
  await build({
    entryPoints: [resolve(projectDir, options.wrangler.main)],
    absWorkingDir: projectDir,
    outfile,
    bundle: true,
    format: 'esm',
    target: 'es2024',
    conditions: ['workerd', 'worker', 'browser'],
    external: ['node:*', 'cloudflare:*'],
    loader: { '.html': 'text', '.txt': 'text', '.sql': 'text' }, // as wrangler does
    sourcemap: 'inline',
    logLevel: 'error',
  })
  await stop() // its helper process
  return outfile
}
