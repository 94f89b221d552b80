/** SPEC.md and the tests name the same rules. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const root = join(import.meta.dirname, '../..')

it('every rule of SPEC.md has a test, and every rule a test names stands there', () => {
  const spec = readFileSync(join(root, 'SPEC.md'), 'utf8')
  const statements = spec.match(/^- \*\*\[[A-Z]\d+\]/gm) ?? []
  expect(statements.length).toBe(new Set(statements).size)
  const stated = new Set(spec.match(rule))
  const quoted = new Set(
    readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.(test|contract)\.ts$/.test(file))
      .flatMap((file) => readFileSync(join(root, 'test', file), 'utf8').match(rule) ?? []),
  )
  expect([...stated].filter((id) => !quoted.has(id))).toEqual([])
  expect([...quoted].filter((id) => !stated.has(id))).toEqual([])
})

const rule = /\[[ACDFGJMRSTWZ]\d+\]/g
