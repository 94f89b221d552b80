/**
 * `npm run oracle`: plays random scripts on a real Apache ZooKeeper and on ours, and prints every difference that is not
 * declared in test/oracle/deliberate.ts, with the shortest script that shows it.
 *
 * SEEDS (8), FIRST_SEED (1), OPERATIONS (500 a seed), SESSIONS (4), MEMBERS (1); SEED=7 plays that one only. With --trace
 * every step is printed, with --keep the search goes on after a difference.
 */
import { showDifference, showObservation } from '../test/oracle/compare.ts'
import { avoided, deliberate, type DeliberateName } from '../test/oracle/deliberate.ts'
import { Duel, type Outcome } from '../test/oracle/duel.ts'
import { countOf, generate } from '../test/oracle/generate.ts'
import type { Seen } from '../test/oracle/player.ts'
import { showStep, type Step } from '../test/oracle/script.ts'
import { shrink } from '../test/oracle/shrink.ts'
import { isInstalled } from '../test/support/programs.ts'

const number = (name: string, fallback: number): number => Number(process.env[name] ?? fallback)
const only = process.env['SEED']
const firstSeed = only === undefined ? number('FIRST_SEED', 1) : Number(only)
const seeds = only === undefined ? number('SEEDS', 8) : 1
const perSeed = number('OPERATIONS', 500)
const sessions = number('SESSIONS', 4)
const members = number('MEMBERS', 1)
const shrinkMs = 60_000

if (!isInstalled.zooKeeper()) {
  console.error('npm run oracle needs Apache ZooKeeper (Debian package zookeeper) and java')
  process.exit(2)
}

const since = performance.now()
const duel = await Duel.start(members)
if (process.argv.includes('--trace')) duel.trace = printStep
const differing: number[] = []
let operations = 0
let scripts = 0
try {
  for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
    const steps = stepsOf(seed)
    const { played, difference, step } = await duel.fight(steps, sessions)
    operations += steps.slice(0, played).reduce((sum, one) => sum + countOf(one), 0)
    if (difference === undefined || step === undefined) continue
    differing.push(seed)
    console.log(`\nseed ${seed}, step ${played}:\n${showDifference(step, difference)}`)
    await printShortest(seed, played)
    if (!process.argv.includes('--keep')) break
  }
} finally {
  await duel.stop()
}
summarize()
process.exitCode = differing.length === 0 ? 0 : 1

/** The script of a seed, in a part of the tree that no script had before. */
function stepsOf(seed: number): Step[] {
  scripts += 1
  const root = `/o${String(scripts).padStart(6, '0')}`
  return generate({ seed, operations: perSeed, sessions, root })
}

/** Prints the fewest steps that end in a difference at the same step. */
async function printShortest(seed: number, played: number): Promise<void> {
  duel.trace = undefined
  const fight = (places: readonly number[]): Promise<Outcome> => {
    const steps = stepsOf(seed)
    return duel.fight(
      places.map((place) => steps[place] as Step),
      sessions,
    )
  }
  const shows = async (places: readonly number[]): Promise<boolean> => {
    if (places.at(-1) !== played - 1) return false
    const outcome = await fight(places)
    return outcome.difference !== undefined && outcome.played === places.length
  }
  const every = Array.from({ length: played }, (_, place) => place)
  const fewest = await shrink(every, shows, performance.now() + shrinkMs)
  const { difference, step } = await fight(fewest)
  console.log(`the shortest script (${fewest.length} of ${played} steps):`)
  const steps = stepsOf(seed)
  for (const place of fewest) console.log(`  ${showStep(steps[place] as Step)}`)
  if (difference !== undefined && step !== undefined) console.log(showDifference(step, difference))
}

function printStep(step: Step, apache: Seen, ours: Seen): void {
  console.log(showStep(step))
  const lines = (seen: Seen): string[] =>
    [...seen].flatMap(([who, all]) => all.map((one) => `to ${who}: ${showObservation(one)}`))
  const [theirs, own] = [lines(apache), lines(ours)]
  for (const line of own) console.log(`    ${theirs.includes(line) ? 'both  ' : 'ours  '} ${line}`)
  for (const line of theirs) if (!own.includes(line)) console.log(`    apache ${line}`)
}

function summarize(): void {
  const tookS = (performance.now() - since) / 1000
  console.log(
    `\n${operations} operations of ${seeds} seeds, ${sessions} sessions, ${members} members: ` +
      `${differing.length === 0 ? 'no undeclared difference' : `seeds ${differing.join(', ')} differ`}, ${tookS.toFixed(0)} s`,
  )
  console.log(`  ${duel.tally.line()}`)
  for (const [name, { reason }] of Object.entries(deliberate)) {
    console.log(`  ${duel.met.get(name as DeliberateName) ?? 0}× ${name}: ${reason}`)
  }
  for (const line of avoided) console.log(`  never asked for: ${line}`)
}
