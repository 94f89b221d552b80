/** Where and with what a run was made. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { cpus, release, totalmem } from 'node:os'
import { resolve } from 'node:path'

export interface Machine {
  readonly date: string
  readonly commit: string
  readonly cores: number
  readonly cpu: string
  readonly memoryGb: number
  readonly linux: string
  readonly node: string
  readonly workerd: string
  readonly java: string | undefined
  readonly zooKeeper: string | undefined
}

export function describeMachine(): Machine {
  const processors = cpus()
  return {
    date: new Date().toISOString().slice(0, 16),
    commit: told('git', 'describe', '--always', '--dirty', '--exclude=*') ?? 'unknown',
    cores: processors.length,
    cpu: processors[0]?.model ?? 'unknown',
    memoryGb: Math.round(totalmem() / 1024 ** 3),
    linux: release(),
    node: process.version,
    workerd: versionOf(wranglersOwn().resolve('workerd/package.json')),
    java: /"([^"]+)"/.exec(told('java', '-version') ?? '')?.[1],
    zooKeeper: told('dpkg-query', '--show', '--showformat=${Version}', 'zookeeper'),
  }
}

/** The one that `npm run serve` runs. */
export const workerdBinary = (): string =>
  (wranglersOwn()('workerd') as { default: string }).default

function wranglersOwn(): NodeJS.Require {
  const require = createRequire(import.meta.url)
  return createRequire(require.resolve('wrangler/package.json'))
}

const versionOf = (path: string): string =>
  (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version

/** What a program prints; undefined where there is none. */
function told(program: string, ...args: readonly string[]): string | undefined {
  try {
    const cwd = resolve(import.meta.dirname, '..')
    // java prints its version as an error
    return execFileSync('sh', ['-c', 'exec "$0" "$@" 2>&1', program, ...args], {
      cwd,
      encoding: 'utf8',
    }).trim()
  } catch {
    return undefined
  }
}
