import { expect, test } from 'vitest'
import { countOf, generate } from './generate.ts'
import { Modes } from './modes.ts'
import { showStep } from './script.ts'

const recipe = { seed: 5, operations: 300, sessions: 4, root: '/o000001' }

test('a seed is a script', () => {
  const script = generate(recipe).map(showStep)
  expect(generate(recipe).map(showStep)).toEqual(script)
  expect(generate({ ...recipe, seed: 6 }).map(showStep)).not.toEqual(script)
})

test('below another root it is the same script', () => {
  const [here, there] = [recipe, { ...recipe, root: '/o000002' }].map(generate)
  expect(there?.map((step) => [step.act, step.session, countOf(step)])).toEqual(
    here?.map((step) => [step.act, step.session, countOf(step)]),
  )
})

test('a connection watches a path in one mode', () => {
  const modes = new Modes()
  const read = { op: 'exists', body: { path: '/a', watch: true } } as const
  const add = { op: 'addWatch', body: { path: '/a', mode: 1 } } as const
  expect(modes.tamed(read)).toBe(read)
  expect(modes.tamed(add)).toEqual({ op: 'exists', body: { path: '/a', watch: false } })
  modes.clear()
  expect(modes.tamed(add)).toBe(add)
  expect(modes.tamed(read)).toEqual({ op: 'exists', body: { path: '/a', watch: false } })
})
