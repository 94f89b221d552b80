/**
 * `npm run fuzz`: damaged bytes for every decoder, and for a whole ensemble in one thread. Fails on whatever is not the
 * error a decoder declares, on a broken law of the tree, on an input that takes for ever, and on memory that grows.
 *
 * MUTATIONS (1000000), SEED (by chance). `--replay FILE` plays again what a failure wrote down.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type Failure, faultOf, runCampaign, shrunk, type Tally } from '../test/fuzz/campaign.ts'
import { targets } from '../test/fuzz/targets.ts'
import { Watchdog } from '../test/fuzz/watchdog.ts'

const number = (name: string, fallback: number): number => {
  const value = Number(process.env[name] ?? fallback)
  if (Number.isSafeInteger(value) && value > 0) return value
  console.error(`${name} must be a whole number above 0, not ${process.env[name]}`)
  process.exit(2)
}

/** What a tenth of the campaign and the whole of it may differ by: what the engine keeps of code and of its own. */
const grownBytesMax = 16 * 1024 * 1024
const shrinkMs = 120_000

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const replayed = process.argv.indexOf('--replay')
if (replayed >= 0) replay(process.argv[replayed + 1] ?? '')
else
  await fuzz(
    number('SEED', 1 + Math.floor(Math.random() * 2 ** 31)),
    number('MUTATIONS', 1_000_000),
  )

async function fuzz(seed: number, mutations: number): Promise<void> {
  console.log(
    `seed ${seed}, ${mutations} mutations of ${targets.map(({ name }) => name).join(', ')}`,
  )
  const since = performance.now()
  const watchdog = new Watchdog()
  let early: number | undefined
  let told = since
  const tally = await runCampaign({
    seed,
    mutations,
    targets,
    before: (target, input, count) => {
      watchdog.begins(target, input, count)
      if (count % 4096 !== 0) return
      if (early === undefined && count >= mutations / 10) early = bytesHeld()
      if (performance.now() - told < 10_000) return
      told = performance.now()
      tellProgress(count, mutations, told - since)
    },
  })
  await watchdog.stop()
  summarize(tally, performance.now() - since)
  if (tally.failure !== undefined) return fail(tally.failure, seed)
  const grown = bytesHeld() - (early ?? 0)
  console.log(`memory after gc: ${mb(early ?? 0)} at 10 %, ${mb(bytesHeld())} at the end`)
  if (early !== undefined && grown > grownBytesMax) {
    console.error(`FAILED: ${mb(grown)} more than at 10 % (seed ${seed})`)
    process.exitCode = 1
  }
}

function tellProgress(count: number, mutations: number, tookMs: number): void {
  const rate = Math.round((count / tookMs) * 1000)
  const { rss, heapUsed } = process.memoryUsage()
  const left = Math.round((mutations - count) / rate)
  const percent = ((100 * count) / mutations).toFixed(1)
  console.log(
    `${percent} %  ${count}  ${rate}/s  ${Math.round(tookMs / 1000)} s, ${left} s left  heap ${mb(heapUsed)}  rss ${mb(rss)}`,
  )
}

function summarize({ count, kinds, slowestMs, slowest }: Tally, tookMs: number): void {
  const rate = Math.round((count / tookMs) * 1000)
  for (const [kind, inputs] of [...kinds].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    console.log(`  ${String(inputs).padStart(9)}  ${kind}`)
  }
  console.log(`${count} inputs in ${Math.round(tookMs / 1000)} s, ${rate}/s`)
  if (slowest === undefined) return
  const { target, life, at } = slowest
  console.log(
    `the slowest took ${slowestMs.toFixed(1)} ms: ${target.name}, life ${life}, input ${at}`,
  )
}

function fail(failure: Failure, seed: number): void {
  const { target, life, cause } = failure
  console.error(`\nFAILED: ${target.name}, life ${life} of seed ${seed}:`)
  console.error(cause)
  console.error('\nlooking for fewer and shorter inputs …')
  const inputs = shrunk(failure, performance.now() + shrinkMs)
  const lines = inputs.map((input) => Buffer.from(input).toString('hex'))
  const file = join(tmpdir(), `durable-keeper-fuzz-${seed}.txt`)
  writeFileSync(file, [target.name, ...lines, ''].join('\n'))
  for (const [at, line] of lines.slice(-20).entries()) {
    const input = inputs.slice(-20)[at] as Uint8Array
    console.error(`  ${target.kindOf(input)}  ${line}`)
  }
  console.error(`\nagain: npm run fuzz -- --replay ${file}`)
  console.error(`the whole campaign again: SEED=${seed} npm run fuzz`)
  process.exitCode = 1
}

function replay(file: string): void {
  const [name, ...lines] = readFileSync(file, 'utf8').trimEnd().split('\n')
  const target = targets.find((one) => one.name === name)
  if (target === undefined) throw new Error(`no target is named ${name}`)
  const fault = faultOf(
    target,
    lines.map((line) => Uint8Array.from(Buffer.from(line, 'hex'))),
  )
  console.log(fault ?? 'nothing happened')
  process.exitCode = fault === undefined ? 0 : 1
}

function bytesHeld(): number {
  collect()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

function mb(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MB`
}
