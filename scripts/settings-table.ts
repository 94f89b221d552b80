/** `npm run settings-table`: the README's tables of what can be set, printed from the tables the code reads. */
import { settingRows, type SettingRow } from '../src/core/shared/settings.ts'
import { clusterRows } from './ensemble/cluster.ts'
import { commandRows } from './ensemble/options.ts'

const columns = (...cells: readonly string[]): string => `| ${cells.join(' | ')} |`

export function settingsTable(): string {
  const rows = Object.entries(settingRows).map(([name, row]) =>
    columns(`\`${name}\``, row.unit, defaultOf(row), allowedOf(row), row.meaning),
  )
  return [
    columns('setting', 'unit', 'default', 'allowed', 'meaning'),
    '| --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n')
}

export const commandTable = (): string => tableOf(commandRows)
export const clusterTable = (): string => tableOf(clusterRows)

type Rows = Readonly<
  Record<string, { readonly unit: string; readonly default: string; readonly meaning: string }>
>

function tableOf(variables: Rows): string {
  const rows = Object.entries(variables).map(([name, row]) =>
    columns(`\`${name}\``, row.unit, row.default, row.meaning),
  )
  return [
    columns('variable', 'unit', 'default', 'meaning'),
    '| --- | --- | --- | --- |',
    ...rows,
  ].join('\n')
}

function defaultOf(row: SettingRow): string {
  if (row.kind === 'text') return 'none'
  if (typeof row.default === 'object' && 'sumOf' in row.default) {
    return row.default.sumOf.map((name) => `\`${name}\``).join(' + ')
  }
  if (typeof row.default === 'object') return `${row.default.times} × \`${row.default.of}\``
  if (row.default === '') return 'none'
  return row.kind !== 'name' && row.kind !== 'words' ? String(row.default) : `\`${row.default}\``
}

function allowedOf(row: SettingRow): string {
  switch (row.kind) {
    case 'integer':
      return `${row.min} to ${row.max}`
    case 'name':
      return 'a-z, 0-9, -'
    case 'text':
      return row.allowed
    case 'flag':
      return 'true, false'
    case 'words':
      return row.allowed
  }
}

if (import.meta.main) console.log(`${settingsTable()}\n\n${commandTable()}\n\n${clusterTable()}`)
