/**
 * What the stock clients are pointed at. By default our two commands; a test is checked itself by pointing it at Apache’s:
 *
 *     INTEROP=zookeeper npx vitest run --project e2e test/interop
 */
import { startEnsemble } from '../support/ensemble.ts'
import { startZooKeeper } from '../support/zookeeper.ts'

/** Three members. */
export interface Target {
  readonly hosts: string
  readonly zkPorts: readonly number[]
  stop(): Promise<void>
}

const starters: Readonly<Record<string, () => Promise<Target>>> = {
  start: () => startEnsemble({ mode: 'start' }),
  serve: () => startEnsemble({ mode: 'serve' }),
  zookeeper: () => startZooKeeper({ members: 3 }),
}

export const targets = (process.env['INTEROP'] ?? 'start,serve').split(',').map((name) => {
  const start = starters[name]
  if (start === undefined) throw new Error(`INTEROP names ${name}: no such target`)
  return { name, start }
})
