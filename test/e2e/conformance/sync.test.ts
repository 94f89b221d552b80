/** sync, and what an ensemble says of itself. */
import { describe, expect, it } from 'vitest'
import { errorCodes } from '../../../src/core/wire/refusals.ts'
import { onBothSides } from './sides.ts'

onBothSides({}, (side) => {
  it('G01 sync answers its path, whether there is such a node or not', async () => {
    const [session, root] = await side.begin()
    for (const path of [root, `${root}/none`, '/', '', 'no path']) {
      expect(await session.get('sync', { path })).toEqual({ path })
    }
  })

  it('G02 a read behind a sync at another member sees every write acknowledged before', async () => {
    const [writer, root] = await side.begin()
    const readers = [await side.open({}, 1), await side.open({}, 2)]
    for (let version = 1; version <= 1000; version++) {
      await writer.get('setData', { path: root, data: null, version: -1 })
      await Promise.all(
        readers.map(async (reader) => {
          const synced = reader.get('sync', { path: root })
          const { stat } = await reader.get('exists', { path: root, watch: false })
          await synced
          expect(stat.version).toBe(version)
        }),
      )
    }
  })

  it('G08 reconfig is answered −123 where it is not enabled', async () => {
    const session = await side.open()
    const request = { joiningServers: null, leavingServers: '3', newMembers: null, curConfigId: -1 }
    expect(await session.err('reconfig', request)).toBe(errorCodes.ReconfigDisabled)
  })

  // A server that is alone has no config.
  describe.skipIf(!side.isOurs)('with members of our own', () => {
    it('G05 /zookeeper/config names every member and its version', async () => {
      const session = await side.open()
      const { data, stat } = await session.get('getData', {
        path: '/zookeeper/config',
        watch: false,
      })
      const lines = new TextDecoder().decode(data ?? new Uint8Array(0)).split('\n')
      expect(lines).toHaveLength(4)
      for (const [at, line] of lines.slice(0, 3).entries()) {
        expect(line).toMatch(new RegExp(`^server\\.${at + 1}=[^:]+:\\d+:\\d+:participant(;.*)?$`))
      }
      const version = /^version=([0-9a-f]+)$/.exec(lines[3] ?? '')?.[1] ?? ''
      expect(Number.parseInt(version, 16)).toBeGreaterThan(0)
      expect(stat).toMatchObject({ czxid: 0, ctime: 0, version: -1, aversion: -1 })
      expect(stat.mzxid).toBe(Number.parseInt(version, 16))
    })
  })
})
