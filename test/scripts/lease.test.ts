/** The lease of a dead instance, over a bucket as S3 keeps it. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Lease, Nodes } from '../../scripts/ensemble/lease.ts'
import { Bucket } from '../support/bucket.ts'
import { freePorts } from '../support/ports.ts'

let bucket: Bucket
let url: string
let folder: string
let port: number
const told: string[] = []
beforeEach(async () => {
  bucket = new Bucket()
  url = `http://127.0.0.1:${await bucket.listen()}`
  folder = mkdtempSync(join(tmpdir(), 'durable-keeper-lease-'))
  port = (await freePorts(1))[0] ?? 0
  vi.spyOn(console, 'log').mockImplementation((line: string) => void told.push(line))
})
afterEach(() => {
  vi.restoreAllMocks()
  told.length = 0
  bucket.close()
  rmSync(folder, { recursive: true, force: true })
})

const clusterAt = (path: string) => ({
  instance: 2,
  peers: [
    { host: '127.0.0.1', port: 1 },
    { host: '127.0.0.1', port },
  ],
  bucket: `s3://bucket${path}`,
  key: '',
})
const env = () => ({
  AWS_ENDPOINT_URL: url,
  AWS_ACCESS_KEY_ID: 'anybody',
  AWS_SECRET_ACCESS_KEY: 'anything',
})
const nodesAt = (path: string): Nodes => {
  const nodes = Nodes.of(clusterAt(path), env())
  if (nodes === undefined) throw new Error('the bucket is not known')
  return nodes
}
const leaseAt = (path = '/prod') => new Lease(clusterAt(path), nodesAt(path), folder)

/** As workerd writes it. */
async function putNode(id: string, address: string, path = 'prod/'): Promise<void> {
  const body = JSON.stringify({ node: id, address, expires_ms: 1, draining: false, write: 2 })
  await fetch(`${url}/bucket/${path}v1/nodes/${id}.json`, { method: 'PUT', body })
}
const own = (): string => `127.0.0.1:${port}`
const idsAt = async (path = '/prod'): Promise<readonly string[]> =>
  (await nodesAt(path).list()).map(({ id }) => id).toSorted()
const noteOf = (): string => readFileSync(join(folder, 'lease'), 'utf8')

async function listening(at: number): Promise<Server> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(at, '127.0.0.1', resolve))
  return server
}

test.each(['', '/', '/prod', '/a/b/'])('nodes stand under the prefix %j', async (path) => {
  const prefix = path.replace(/^\/+|\/+$/g, '')
  await putNode('0a', 'here:1', prefix === '' ? '' : `${prefix}/`)
  expect(await nodesAt(path).list()).toEqual([{ id: '0a', address: 'here:1' }])
  expect(await nodesAt(path).delete('0a')).toBe(true)
  expect(await nodesAt(path).delete('0a')).toBe(false)
  expect(await nodesAt(path).list()).toEqual([])
})

test('[M5] what is given back is the lease of the process that ran in this folder', async () => {
  await putNode('1a', own())
  await putNode('2b', '127.0.0.1:1')
  const first = leaseAt()
  await first.begin()
  const noted = first.note(new AbortController().signal)
  await putNode('3c', own())
  await noted
  expect(noteOf()).toBe('3c')
  await leaseAt().giveBack()
  expect(await idsAt()).toEqual(['1a', '2b'])
  expect(told).toEqual(['the lease of the last life is given back'])
  expect(existsSync(join(folder, 'lease'))).toBe(false)
})

test('[M5] nothing is given back while something listens at the address', async () => {
  await putNode('3c', own())
  writeFileSync(join(folder, 'lease'), '3c')
  const server = await listening(port)
  await leaseAt().giveBack()
  expect(await idsAt()).toEqual(['3c'])
  expect(told[0]).toContain(`something listens at ${own()}`)
  server.close()
  await leaseAt().giveBack()
  expect(await idsAt()).toEqual([])
})

test('[M5] another folder’s process keeps its lease, whatever its address', async () => {
  await putNode('3c', own())
  await leaseAt().begin()
  await leaseAt().giveBack()
  expect(await idsAt()).toEqual(['3c'])
  expect(told).toEqual([])
})

test('who left in good order has none, and nothing is said', async () => {
  writeFileSync(join(folder, 'lease'), '3c')
  await leaseAt().giveBack()
  expect(told).toEqual([])
  expect(existsSync(join(folder, 'lease'))).toBe(false)
})

test('a bucket that cannot be reached costs a line and nothing else', async () => {
  writeFileSync(join(folder, 'lease'), '3c')
  const lease = leaseAt()
  bucket.close()
  await lease.begin()
  expect(told).toHaveLength(2)
  expect(told[0]).toMatch(/^the lease of the last life runs out by itself: /)
  expect(noteOf()).toBe('3c')
})

test('a note of nothing that could be a lease is none', async () => {
  await putNode('3c', own())
  writeFileSync(join(folder, 'lease'), '../3c')
  await leaseAt().giveBack()
  expect(await idsAt()).toEqual(['3c'])
})

test('the wait for the first lease ends with the process', async () => {
  const lease = leaseAt()
  await lease.begin()
  const done = new AbortController()
  const noted = lease.note(done.signal)
  await delay(0)
  done.abort()
  await noted
  expect(told).toEqual([])
})

test.each([
  ['a bucket of Google’s', 'gs://bucket', {}],
  ['no keys', 's3://bucket', { AWS_ACCESS_KEY_ID: '' }],
])('with %s leases are left to run out', (_, name, less) => {
  expect(Nodes.of({ ...clusterAt(''), bucket: name }, { ...env(), ...less })).toBe(undefined)
})
