import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { FolderTaken, lockFolder } from '../../scripts/ensemble/lock.ts'

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'durable-keeper-lock-'))
  path = join(folder, 'lock')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const lockedBy = (pid: number, host = hostname(), started = ''): void =>
  writeFileSync(path, JSON.stringify({ pid, host, started }))
const holder = (): number => (JSON.parse(readFileSync(path, 'utf8')) as { pid: number }).pid
const endedPid = (): number => spawnSync('true').pid

/** Another process that takes the folder, says so, and stays until its input ends. */
function taker() {
  const script = `
    const { lockFolder } = await import(${JSON.stringify(resolve(import.meta.dirname, '../../scripts/ensemble/lock.ts'))})
    try { await lockFolder(${JSON.stringify(folder)}); console.log('taken') } catch (error) { console.log(error.name); process.exit() }
    process.stdin.on('end', () => process.exit()).resume()`
  return spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
}

const word = async (process: ReturnType<typeof taker>): Promise<string> =>
  String((await once(process.stdout, 'data'))[0]).trim()

test('[D10] a folder is had by one process, until that one ends or is killed', async () => {
  const first = taker()
  expect(await word(first)).toBe('taken')
  expect(holder()).toBe(first.pid)
  await expect(lockFolder(folder)).rejects.toThrow(`in use by process ${first.pid}`)
  first.kill('SIGKILL')
  await once(first, 'exit')
  expect(existsSync(path)).toBe(true)
  const second = taker()
  expect(await word(second)).toBe('taken')
  second.stdin.end()
  await once(second, 'exit')
  expect(existsSync(path)).toBe(false)
})

test('of many that find a lock of nobody at once, one takes it', async () => {
  lockedBy(endedPid())
  const takers = Array.from({ length: 6 }, taker)
  const words = await Promise.all(takers.map(word))
  expect(words.toSorted()).toEqual([...Array<string>(5).fill('FolderTaken'), 'taken'])
  const winner = takers[words.indexOf('taken')]
  expect(holder()).toBe(winner?.pid)
  for (const one of takers) one.kill('SIGKILL')
})

test.skipIf(process.platform !== 'linux')(
  'a process number that is somebody else by now holds nothing',
  async () => {
    lockedBy(process.ppid, hostname(), '1')
    await lockFolder(folder)
    expect(holder()).toBe(process.pid)
  },
)

test('a lock from elsewhere counts while somebody touches it', async () => {
  lockedBy(1, 'another-host')
  const touch = setInterval(() => utimesSync(path, new Date(), new Date()), 20)
  await expect(lockFolder(folder, 5000)).rejects.toThrow(FolderTaken)
  clearInterval(touch)
  await lockFolder(folder, 300)
  expect(holder()).toBe(process.pid)
})

test('a file that is no lock is left alone', async () => {
  writeFileSync(path, 'mine')
  await expect(lockFolder(folder)).rejects.toThrow('no lock of ours')
  expect(readFileSync(path, 'utf8')).toBe('mine')
})
