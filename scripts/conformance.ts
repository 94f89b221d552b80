/**
 * `npm run conformance`: runs the tests that the rows of test/conformance name, and writes docs/conformance.md if every one of
 * them passed.
 *
 *     npm run conformance -- --rows W23,W24           runs the tests of these rows only; no other row may have changed
 *     npm run conformance -- --results a.json b.json  takes what vitest’s JSON reporter wrote instead of running anything
 *     npm run conformance -- --check …                writes nothing: the page must be what it is already
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { sections } from '../test/conformance/map.ts'
import { linesOf, pageOf } from '../test/conformance/page.ts'
import { faultOf, type Ran, readResults } from '../test/conformance/results.ts'
import { testName } from '../test/conformance/test-name.ts'

const root = resolve(import.meta.dirname, '..')
const pagePath = join(root, 'docs/conformance.md')
/** Calls the suite of the TypeScript client, whose tests stand in files of their own. */
const suiteCaller = 'e2e/client-suite.test.ts'
/** `npm run chaos`, which says what it has shown as the tests do. */
const chaos = 'chaos/main.ts'

const { values, positionals } = parseArgs({
  options: {
    results: { type: 'string', multiple: true, default: [] },
    rows: { type: 'string' },
    check: { type: 'boolean', default: false },
  },
  allowPositionals: true,
})
const wanted = values.rows?.split(',')
const rows = sections
  .flatMap((section) => Object.entries(section.rows))
  .filter(([id]) => wanted?.includes(id) ?? true)

const faults = [...faultsOfRows(), ...faultsOfPage()]
for (const fault of faults) console.error(fault)
if (faults.length > 0) process.exit(1)
console.log(`${rows.length} rows: every test they name ran and passed`)
if (!values.check) writeFileSync(pagePath, pageOf(sections))

function faultsOfRows(): readonly string[] {
  const unknown = wanted?.filter((id) => !rows.some(([known]) => known === id)) ?? []
  const results = values.results.length > 0 ? given() : ran()
  const unheld = rows.flatMap(([id, { shownBy }]) => {
    if ('notHeld' in shownBy) return []
    return shownBy.flatMap((test) => {
      const fault = faultOf(test, results)
      return fault === undefined ? [] : [`${id} is not held: “${test}” ${fault}`]
    })
  })
  return [...unknown.map((id) => `there is no row ${id}`), ...unheld]
}

function faultsOfPage(): readonly string[] {
  const page = pageOf(sections)
  const committed = readFileSync(pagePath, 'utf8')
  if (values.check) {
    return page === committed
      ? []
      : ['docs/conformance.md is not what `npm run conformance` prints']
  }
  if (wanted === undefined) return []
  const before = linesOf(committed)
  return [...linesOf(page)]
    .filter(([id, line]) => !wanted.includes(id) && before.get(id) !== line)
    .map(([id]) => `${id} has changed too: name it in --rows, so that its tests run`)
}

function given(): readonly Ran[] {
  return readResults([...values.results, ...positionals])
}

/** Runs every file that a row concerned names a test of. */
function ran(): readonly Ran[] {
  const files = new Set(
    rows
      .flatMap(([, { shownBy }]) => ('notHeld' in shownBy ? [] : shownBy))
      .map((test) => {
        const { file } = testName(test)
        return file.endsWith('.test.ts') || file === chaos ? file : suiteCaller
      }),
  )
  const folder = mkdtempSync(join(tmpdir(), 'conformance-'))
  const outputs: string[] = []
  const run = (script: string, env: NodeJS.ProcessEnv, ...args: readonly string[]): void => {
    spawnSync(process.execPath, [join(root, script), ...args], {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: 'inherit',
    })
  }
  const output = (): string => {
    const file = join(folder, String(outputs.length))
    outputs.push(file)
    return file
  }
  try {
    if (files.delete(chaos)) {
      const env = { MODE: 'serve', MINUTES: '0.5', BESIDE: '0' }
      run(join('test', chaos), env, '--results', output())
    }
    if (files.size > 0) {
      run(
        'node_modules/vitest/vitest.mjs',
        { INTEROP: process.env['INTEROP'] ?? 'serve' },
        'run',
        ...[...files].map((file) => join('test', file)),
        '--reporter=default',
        '--reporter=json',
        `--outputFile.json=${output()}`,
      )
    }
    return readResults(outputs)
  } finally {
    rmSync(folder, { recursive: true })
  }
}
