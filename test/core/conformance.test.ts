/** docs/conformance.md is what the map says, and what the map names is there. Whether it passes, `npm run conformance` sees. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { sections } from '../conformance/map.ts'
import { pageOf } from '../conformance/page.ts'
import { faultOf, type Ran } from '../conformance/results.ts'
import { testName } from '../conformance/test-name.ts'

const root = join(import.meta.dirname, '../..')
const rows = sections.flatMap((section) => Object.entries(section.rows))

describe('docs/conformance.md', () => {
  it('is the page that the map makes (npm run conformance -- --rows … writes it)', () => {
    expect(readFileSync(join(root, 'docs/conformance.md'), 'utf8')).toBe(pageOf(sections))
  })

  it('has every row once', () => {
    const ids = rows.map(([id]) => id)
    expect(ids.filter((id, at) => ids.indexOf(id) !== at)).toEqual([])
    expect(ids.filter((id) => !/^[A-Z]\d\d$/.test(id))).toEqual([])
  })

  it('names tests that are there', () => {
    const sources = new Map<string, string>()
    const sourceOf = (file: string): string => {
      const source = sources.get(file) ?? readFileSync(join(root, 'test', file), 'utf8')
      sources.set(file, source)
      return source
    }
    const missing = rows.flatMap(([id, { shownBy }]) =>
      ('notHeld' in shownBy ? [] : shownBy)
        .filter((test) => {
          const { file, titles } = testName(test)
          // A transcript is a test by the name of its file.
          const isThere = (title: string): boolean =>
            sourceOf(file).includes(title) ||
            (file === 'traces.test.ts' && existsSync(join(root, 'test/traces', title)))
          return titles.length === 0 || !titles.every(isThere)
        })
        .map((test) => `${id}: ${test}`),
    )
    expect(missing).toEqual([])
  })
})

describe('a test that a row names', () => {
  const run = (status: string, title = 'W01 %i is', side = 'Durable Keeper'): Ran => ({
    file: '/somewhere/test/e2e/x.test.ts',
    describes: ['outer', side],
    title,
    status,
  })
  const name = 'e2e/x.test.ts › W01 %i is'

  it.each([
    ['passed', name, [run('passed'), run('passed', 'W01 7 is')], undefined],
    [
      'left out at Apache’s only',
      name,
      [run('passed'), run('skipped', 'W01 7 is', 'Apache ZooKeeper 3.8.0')],
      undefined,
    ],
    [
      'in the describes that are named',
      'e2e/x.test.ts › outer › W01 7 is',
      [run('passed', 'W01 7 is')],
      undefined,
    ],
    [
      'of a suite in a file of its own',
      'client/suite/x.ts › W01 7 is',
      [run('passed', 'W01 7 is')],
      undefined,
    ],
    ['not run', name, [], 'is not among the results'],
    ['of another title', name, [run('passed', 'W01 7 is not')], 'is not among the results'],
    ['of another file', 'e2e/y.test.ts › W01 %i is', [run('passed')], 'is not among the results'],
    [
      'in another describe',
      'e2e/x.test.ts › inner › W01 %i is',
      [run('passed')],
      'is not among the results',
    ],
    ['left out', name, [run('skipped')], 'was left out'],
    [
      'run at Apache’s only',
      name,
      [run('passed', 'W01 7 is', 'Apache ZooKeeper 3.8.0'), run('skipped')],
      'was left out',
    ],
    [
      'failed once',
      name,
      [run('passed'), run('failed', 'W01 7 is')],
      'failed: outer › Durable Keeper › W01 7 is',
    ],
  ])('%s', (_, test, results, fault) => expect(faultOf(test, results)).toBe(fault))
})
