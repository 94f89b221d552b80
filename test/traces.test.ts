/**
 * Golden transcripts: each file of `traces/` is script and expectation at once. Commands, `----`, what they print.
 * `REWRITE=1` writes what they print now; the diff is what a reviewer reads.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Arguments, Bench, type Command } from './trace-commands/bench.ts'
import { checkpoint } from './trace-commands/checkpoint.ts'
import { crash } from './trace-commands/crash.ts'
import { cut } from './trace-commands/cut.ts'
import { disk } from './trace-commands/disk.ts'
import { disks } from './trace-commands/disks.ts'
import { ensemble } from './trace-commands/ensemble.ts'
import { lose } from './trace-commands/lose.ts'
import { note } from './trace-commands/note.ts'
import { propose } from './trace-commands/propose.ts'
import { read } from './trace-commands/read.ts'
import { reconfig } from './trace-commands/reconfig.ts'
import { run } from './trace-commands/run.ts'
import { say } from './trace-commands/say.ts'
import { silence } from './trace-commands/silence.ts'
import { slow } from './trace-commands/slow.ts'
import { start } from './trace-commands/start.ts'
import { status } from './trace-commands/status.ts'

const commands: Readonly<Record<string, Command>> = {
  checkpoint,
  crash,
  cut,
  disk,
  disks,
  ensemble,
  lose,
  note,
  propose,
  read,
  reconfig,
  run,
  say,
  silence,
  slow,
  start,
  status,
}

const folder = join(import.meta.dirname, 'traces')
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })

for (const file of files.filter((name) => name.endsWith('.txt')).toSorted()) {
  test(file, () => {
    const path = join(folder, file)
    const text = readFileSync(path, 'utf8')
    expect(text.startsWith('# '), 'a transcript says what it shows').toBe(true)
    const played = play(text)
    if (process.env['REWRITE']) writeFileSync(path, played)
    else expect(text).toBe(played)
  })
}

/** The transcript with what its commands print now. A block ends at an empty line. */
function play(text: string): string {
  const bench = new Bench()
  const blocks = text
    .trimEnd()
    .split(/\n\n+/)
    .map((block) => {
      const script = (block.split('\n----')[0] as string).split('\n')
      const steps = script.filter((line) => line !== '' && !line.startsWith('#'))
      if (steps.length === 0) return script.join('\n')
      for (const step of steps) perform(bench, step)
      const printed = bench.take()
      return [...script, '----', ...(printed.length === 0 ? ['ok'] : printed)].join('\n')
    })
  return `${blocks.join('\n\n')}\n`
}

function perform(bench: Bench, step: string): void {
  const [name = '', ...rest] = step.split(/\s+/)
  const command = commands[name]
  if (!command) throw new Error(`no command ${name}`)
  command(bench, argumentsOf(rest))
}

function argumentsOf(rest: readonly string[]): Arguments {
  const options = new Map<string, string>()
  const words: string[] = []
  for (const word of rest) {
    const at = word.indexOf('=')
    if (at > 0) options.set(word.slice(0, at), word.slice(at + 1))
    else words.push(word)
  }
  return { words, options }
}
