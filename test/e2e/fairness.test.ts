/** Clients of one member that write as fast as they can must not keep those of another from being heard. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { encode } from '../../src/core/jute/codec.ts'
import { CreateRequest, SetDataRequest, WatchedPathRequest } from '../../src/core/jute/records.ts'
import { worldAnyone } from '../../src/core/tree/acl.ts'
import { opcodes } from '../../src/core/wire/opcodes.ts'
import { type Ensemble, startEnsemble } from '../support/ensemble.ts'
import { RawClient, request } from './raw-client.ts'

let ensemble: Ensemble
beforeAll(async () => {
  ensemble = await startEnsemble({ mode: 'serve' })
})
afterAll(() => ensemble?.stop())

const portOf = (sid: number): number => ensemble.zkPorts[sid - 1] ?? 0

it('[F5] who asks now and then is answered between the many large writes of others', async () => {
  const [writers, window] = [16, 10]
  let isOver = false
  let written = 0
  const data = new Uint8Array(32 * 1024)
  const set = (xid: number, path: string): Uint8Array =>
    request(xid, opcodes.setData.code, encode(SetDataRequest, { path, data, version: -1 }))
  const write = async (nth: number): Promise<void> => {
    const path = `/large-${nth}`
    const client = await RawClient.open(portOf(1))
    const create = { path, data: null, acl: worldAnyone, flags: 0 }
    client.send(request(1, opcodes.create.code, encode(CreateRequest, create)))
    await client.frame()
    let xid = 1
    while (xid <= window) client.send(set(++xid, path))
    for (let left = window; left > 0; left--) {
      if ((await client.frame()) === undefined) throw new Error('a writer was disconnected')
      written += 1
      if (isOver) continue
      client.send(set(++xid, path))
      left += 1
    }
    client.destroy()
  }
  const writes = Promise.all(Array.from({ length: writers }, (_, nth) => write(nth)))
  const other = await RawClient.open(portOf(2))
  const get = encode(WatchedPathRequest, { path: '/', watch: false })
  const writtenMeanwhile: number[] = []
  while (written < 3000) {
    const before = written
    other.send(request(writtenMeanwhile.length + 1, opcodes.getData.code, get))
    expect(await other.frame()).toBeDefined()
    writtenMeanwhile.push(written - before)
  }
  isOver = true
  await writes
  other.destroy()
  // All writers together have 160 under way: who waits for more than some rounds of them is not heard.
  expect(Math.max(...writtenMeanwhile)).toBeLessThan(5 * writers * window)
}, 120_000)
