import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { commandTable, settingsTable } from '../../scripts/settings-table.ts'

const readme = new URL('../../README.md', import.meta.url)

// `npm run settings-table` prints what belongs there.
describe.skipIf(!existsSync(readme))('README.md', () => {
  /** The formatter pads the columns. */
  const cells = (table: string): string[] =>
    table.split('\n').map((line) => line.replaceAll(/ +/g, ' ').replaceAll(/-+/g, '-'))

  it.each([
    ['every setting of an ensemble', settingsTable()],
    ['every variable of the two commands', commandTable()],
  ])('tells %s as the code has it', (_, table) => {
    expect(cells(readFileSync(readme, 'utf8'))).toEqual(expect.arrayContaining(cells(table)))
  })
})
