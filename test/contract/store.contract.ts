/**
 * What a member's store must do, whatever it is made of. A store is used as the member's actor uses it: opened, written
 * to, and opened anew after a crash, which keeps what was durable and nothing else.
 */
import { describe, expect, test } from 'vitest'
import { asEpoch, asSid, asZxid, type Zxid, zxidOf } from '../../src/core/shared/units.ts'
import {
  type EarlyRow,
  type RowChange,
  rooms,
  type RowTable,
} from '../../src/core/tree/row-table.ts'
import { rowsToChunk } from '../../src/core/tree/snapshot.ts'
import type { Persist } from '../../src/core/turn.ts'
import { firstConfiguration } from '../../src/core/zab/configuration.ts'
import { BatchWriter, entriesOf, type LogBatch } from '../../src/core/zab/log-batch.ts'
import type { RestoredLog } from '../../src/core/zab/member.ts'

export interface Store extends RowTable {
  restore(committed: Zxid): RestoredLog
  write(persists: readonly Persist[]): void
  durable(): Promise<void>
  writeCheckpoint(rows: readonly RowChange[]): void
  writeEarly(rows: readonly EarlyRow[]): void
  dropLog(through: Zxid): unknown
}

/** One disk: `use` opens the store anew each time, as after a crash. */
export interface Disk {
  readonly use: <T>(act: (store: Store) => T | Promise<T>) => Promise<T>
}

export function storeContract(name: string, newDisk: () => Disk): void {
  describe(name, () => {
    theLog(newDisk)
    theConfiguration(newDisk)
    theCheckpoint(newDisk)
    theSnapshot(newDisk)
  })
}

function theConfiguration(newDisk: () => Disk): void {
  const members = firstConfiguration({ voters: [1, 2].map(asSid), observers: [asSid(3)] })
  const stored = ({ use }: Disk): Promise<string | undefined> =>
    use((store) => store.restore(nothing).configuration?.text)

  test('[D11] the configuration persisted last is kept, beside the log and with the epoch of its persist', async () => {
    const disk = newDisk()
    expect(await stored(disk)).toBeUndefined()
    const [acceptedEpoch, currentEpoch] = [asEpoch(1), asEpoch(1)]
    const first = members.withVersion(at(0))
    await writeTo(disk, persist({ acceptedEpoch }), persist({ currentEpoch, configuration: first }))
    await writeTo(disk, append(batch(at(1), 2)))
    expect(await stored(disk)).toBe(first.text)
    const next = members.withVersion(at(3))
    await writeTo(disk, append(batch(at(3), 1)), persist({ configuration: next }))
    expect(await stored(disk)).toBe(next.text)
    const { txns, epochs } = await restored(disk)
    expect([txns.length, epochs]).toEqual([3, [1, 1]])
  })

  test('[D11] a reconfiguration is restored from the log with its configuration, cut or not', async () => {
    const disk = newDisk()
    const writer = new BatchWriter()
    const made = members.withVersion(at(2))
    writer.add(at(1), (into) => into.raw(bytesOf('one')))
    writer.add(at(2), (into) => into.raw(bytesOf('two')), made)
    writer.add(at(3), (into) => into.raw(bytesOf('three')))
    const configurationIn = (): Promise<string | undefined> =>
      disk.use((store) => store.restore(nothing).batches[0]?.configuration?.text)
    await writeTo(disk, append(writer.take() as LogBatch))
    expect(await configurationIn()).toBe(made.text)
    await writeTo(disk, persist({ truncate: at(2) }))
    expect(await configurationIn()).toBe(made.text)
    expect(await zxidsIn(disk)).toEqual([at(1), at(2)])
    await writeTo(disk, persist({ truncate: at(1) }))
    expect(await configurationIn()).toBeUndefined()
  })
}

const at = (counter: number, epoch = 1): Zxid => zxidOf(asEpoch(epoch), counter)
const nothing = asZxid(0)

function batch(first: Zxid, count: number, text = 'txn'): LogBatch {
  const writer = new BatchWriter()
  for (let one = 0; one < count; one++) {
    writer.add(asZxid(first + one), (into) => into.raw(bytesOf(`${text} ${one}`)))
  }
  return writer.take() as LogBatch
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
const textOf = (bytes: Uint8Array | undefined): string | undefined =>
  bytes && new TextDecoder().decode(bytes)

let number = 0
const persist = (what: Omit<Persist, 'number'>): Persist => ({ number: ++number, ...what })

const append = (...append: LogBatch[]): Persist => persist({ append })

interface Restored {
  readonly base: Zxid
  readonly txns: readonly [Zxid, string | undefined][]
  readonly epochs: readonly [number, number]
}

const restored = ({ use }: Disk): Promise<Restored> =>
  use((store) => {
    const { base, batches, acceptedEpoch, currentEpoch } = store.restore(nothing)
    const txns = batches.flatMap((one) =>
      [...entriesOf(one)].map(({ zxid, txn }): [Zxid, string | undefined] => [zxid, textOf(txn)]),
    )
    return { base, txns, epochs: [acceptedEpoch, currentEpoch] }
  })

const zxidsIn = async (disk: Disk): Promise<Zxid[]> =>
  (await restored(disk)).txns.map(([zxid]) => zxid)

const writeTo = ({ use }: Disk, ...persists: Persist[]): Promise<void> =>
  use(async (store) => {
    store.restore(nothing)
    store.write(persists)
    await store.durable()
  })

function theLog(newDisk: () => Disk): void {
  test('[D1] a new store has an empty log and no epochs', async () => {
    expect(await restored(newDisk())).toEqual({ base: 0, txns: [], epochs: [0, 0] })
  })

  test('[D1] what was appended is restored, in order, with its bytes', async () => {
    const disk = newDisk()
    await writeTo(disk, append(batch(at(1), 2)), append(batch(at(3), 1), batch(at(4), 3)))
    await writeTo(disk, append(batch(at(1, 2), 1, 'later')))
    expect(await restored(disk)).toEqual({
      base: 0,
      txns: [
        [at(1), 'txn 0'],
        [at(2), 'txn 1'],
        [at(3), 'txn 0'],
        [at(4), 'txn 0'],
        [at(5), 'txn 1'],
        [at(6), 'txn 2'],
        [at(1, 2), 'later 0'],
      ],
      epochs: [0, 0],
    })
  })

  test('[D1] an appended view of a larger buffer is kept as it was when it was written', async () => {
    const disk = newDisk()
    const { bytes, ...rest } = batch(at(1), 2)
    const large = new Uint8Array(bytes.length + 100).fill(7)
    large.set(bytes, 50)
    await disk.use(async (store) => {
      store.restore(nothing)
      store.write([append({ ...rest, bytes: large.subarray(50, 50 + bytes.length) })])
      large.fill(9)
      await store.durable()
    })
    expect(await zxidsIn(disk)).toEqual([at(1), at(2)])
  })

  test('[D1] a txn as large as a client may send it is kept', async () => {
    const disk = newDisk()
    await writeTo(disk, append(batch(at(1), 1, 'x'.repeat(1_048_575))))
    expect((await restored(disk)).txns[0]?.[1]?.length).toBe(1_048_577)
  })

  test('[D2] epochs are kept, also those of one persist with a log', async () => {
    const disk = newDisk()
    await writeTo(disk, persist({ acceptedEpoch: asEpoch(5) }))
    expect((await restored(disk)).epochs).toEqual([5, 0])
    await writeTo(disk, persist({ append: [batch(at(1, 5), 1)], currentEpoch: asEpoch(5) }))
    expect(await restored(disk)).toMatchObject({ epochs: [5, 5], txns: [[at(1, 5), 'txn 0']] })
    await writeTo(disk, persist({ acceptedEpoch: asEpoch(2 ** 21 - 1) }))
    expect((await restored(disk)).epochs).toEqual([2 ** 21 - 1, 5])
  })

  test.each([
    ['at the end of a batch', 3, [1, 2, 3]],
    ['in the middle of a batch', 5, [1, 2, 3, 4, 5]],
    ['below everything', 0, []],
    ['at the end', 9, [1, 2, 3, 4, 5, 6, 7, 8, 9]],
  ])('[D3] the log is truncated %s, and goes on from there', async (_, to, kept) => {
    const disk = newDisk()
    await writeTo(disk, append(batch(at(1), 3), batch(at(4), 3), batch(at(7), 3)))
    await writeTo(disk, persist({ truncate: at(to) }))
    expect(await zxidsIn(disk)).toEqual(kept.map((counter) => at(counter)))
    await writeTo(disk, append(batch(at(1, 2), 2)))
    expect(await zxidsIn(disk)).toEqual([...kept.map((counter) => at(counter)), at(1, 2), at(2, 2)])
  })

  test('[D3] one persist truncates before it appends, and what was appended unsaved goes too', async () => {
    const disk = newDisk()
    await disk.use(async (store) => {
      store.restore(nothing)
      store.write([
        append(batch(at(1), 4, 'old')),
        persist({ truncate: at(2), append: [batch(at(1, 2), 1, 'new')] }),
      ])
      await store.durable()
    })
    expect((await restored(disk)).txns).toEqual([
      [at(1), 'old 0'],
      [at(2), 'old 1'],
      [at(1, 2), 'new 0'],
    ])
  })

  describe('batches of all sizes stand in one log', () => {
    const large = 'x'.repeat(20_000)
    const mixed = async (): Promise<Disk> => {
      const disk = newDisk()
      const [second, last] = [batch(at(3), 3, large), batch(at(8), 2, large)]
      await writeTo(disk, append(batch(at(1), 2), second), append(batch(at(6), 2), last))
      return disk
    }

    test('[D1] in the order of their txns', async () => {
      const { txns } = await restored(await mixed())
      expect(txns.map(([zxid, text]) => [zxid, text?.length])).toEqual([
        [at(1), 5],
        [at(2), 5],
        [at(3), 20_002],
        [at(4), 20_002],
        [at(5), 20_002],
        [at(6), 5],
        [at(7), 5],
        [at(8), 20_002],
        [at(9), 20_002],
      ])
    })

    test.each([8, 7, 6, 5, 4, 3, 2, 0])(
      '[D3] truncated to the txn %i, and it goes on with either',
      async (to) => {
        for (const text of ['txn', large]) {
          const disk = await mixed()
          await writeTo(disk, persist({ truncate: at(to), append: [batch(at(1, 2), 2, text)] }))
          const kept = Array.from({ length: to }, (_, counter) => at(counter + 1))
          expect(await zxidsIn(disk)).toEqual([...kept, at(1, 2), at(2, 2)])
        }
      },
    )

    test('[D4] dropped from its begin', async () => {
      const disk = await mixed()
      const drop = (through: Zxid): Promise<void> =>
        disk.use((store) => {
          store.restore(nothing)
          store.dropLog(through)
        })
      await drop(at(4))
      expect(await zxidsIn(disk)).toEqual([3, 4, 5, 6, 7, 8, 9].map((counter) => at(counter)))
      await drop(at(7))
      expect(await restored(disk)).toMatchObject({ base: at(7) })
      expect(await zxidsIn(disk)).toEqual([at(8), at(9)])
      await drop(at(9))
      expect(await restored(disk)).toEqual({ base: at(9), txns: [], epochs: [0, 0] })
    })
  })

  test('[D4] dropping the log drops whole batches only, and the base follows', async () => {
    const disk = newDisk()
    await writeTo(disk, append(batch(at(1), 3), batch(at(4), 3), batch(at(1, 700_000), 2)))
    const drop = (through: Zxid): Promise<void> =>
      disk.use((store) => {
        store.restore(nothing)
        store.dropLog(through)
      })
    await drop(at(2))
    expect(await restored(disk)).toMatchObject({ base: 0 })
    await drop(at(5))
    expect(await restored(disk)).toMatchObject({ base: at(3) })
    expect((await zxidsIn(disk))[0]).toBe(at(4))
    await drop(at(9, 700_000))
    expect(await restored(disk)).toEqual({ base: at(2, 700_000), txns: [], epochs: [0, 0] })
    await writeTo(disk, append(batch(at(3, 700_000), 1)))
    expect(await zxidsIn(disk)).toEqual([at(3, 700_000)])
  })
}

const row = (
  key: string,
  name: string,
  text: string | null,
  room: number = rooms.znode,
): RowChange => ({
  room,
  key,
  name,
  value: text === null ? null : bytesOf(text),
})

const checkpoint = ({ use }: Disk, ...rows: RowChange[]): Promise<void> =>
  use(async (store) => {
    store.writeCheckpoint(rows)
    await store.durable()
  })

/** Every row by pages of a few bytes, as a snapshot is streamed. */
const allRows = (disk: Disk, bytesMax = 1): Promise<string[]> =>
  disk.use((store) => {
    const found: string[] = []
    for (;;) {
      const page = store.page(after(found), bytesMax)
      if (page.length === 0) return found
      found.push(
        ...page.map(({ room, key, name, value }) => `${room}|${key}|${name}|${textOf(value)}`),
      )
    }
  })

function after(found: readonly string[]): { room: number; key: string; name: string } | undefined {
  const last = found.at(-1)?.split('|')
  if (last === undefined) return undefined
  return { room: Number(last[0]), key: last[1] as string, name: last[2] as string }
}

function theCheckpoint(newDisk: () => Disk): void {
  test('[D5] rows are written, replaced and removed', async () => {
    const disk = newDisk()
    await checkpoint(disk, row('', '', 'root'), row('/', 'a', '1'), row('/', 'b', '2'))
    await checkpoint(disk, row('/', 'a', 'one'), row('/', 'b', null), row('/', 'never was', null))
    await disk.use((store) => {
      expect(textOf(store.get(rooms.znode, '/', 'a'))).toBe('one')
      expect(textOf(store.get(rooms.znode, '', ''))).toBe('root')
      expect(store.get(rooms.znode, '/', 'b')).toBe(undefined)
      expect(store.get(rooms.session, '/', 'a')).toBe(undefined)
    })
    expect(await allRows(disk)).toEqual(['0|||root', '0|/|a|one'])
  })

  test('[D5] a row may be empty, and is a row all the same', async () => {
    const disk = newDisk()
    await checkpoint(disk, row('1', '/e', '', rooms.ephemeral))
    await disk.use((store) => {
      expect(store.get(rooms.ephemeral, '1', '/e')).toEqual(new Uint8Array(0))
      expect(store.names(rooms.ephemeral, '1')).toEqual(['/e'])
      expect(store.page(undefined, 1000)).toEqual([
        { room: rooms.ephemeral, key: '1', name: '/e', value: new Uint8Array(0) },
      ])
    })
  })

  describe('[D12] rows written early', () => {
    const fresh = (key: string, name: string, text: string): EarlyRow => ({
      ...row(key, name, text),
      isNew: true,
    })
    const changed = (key: string, name: string, text: string | null): EarlyRow => ({
      ...row(key, name, text),
      isNew: false,
    })
    const early = ({ use }: Disk, ...rows: EarlyRow[]): Promise<void> =>
      use(async (store) => {
        store.writeEarly(rows)
        await store.durable()
      })
    const some = async (): Promise<Disk> => {
      const disk = newDisk()
      await checkpoint(disk, row('', '', 'root'), row('/', 'a', '1'), row('/', 'b', '2'))
      return disk
    }
    const old = ['0|||root', '0|/|a|1', '0|/|b|2']
    const all = [fresh('/', 'c', '3'), changed('/', 'a', 'one'), changed('/', 'b', null)]

    test('are seen by nobody, before a crash and after it', async () => {
      const disk = await some()
      await disk.use(async (store) => {
        store.writeEarly(all)
        store.writeEarly([fresh('/c', 'd', '4'), changed('/', 'a', 'uno')])
        await store.durable()
        expect(textOf(store.get(rooms.znode, '/', 'a'))).toBe('1')
        expect(textOf(store.get(rooms.znode, '/', 'b'))).toBe('2')
        expect(store.get(rooms.znode, '/c', 'd')).toBeUndefined()
        expect(store.names(rooms.znode, '/').toSorted()).toEqual(['a', 'b'])
        expect(store.page(undefined, 1000).length).toBe(3)
      })
      for (const bytesMax of [1, 1000]) expect(await allRows(disk, bytesMax)).toEqual(old)
      expect((await restored(disk)).txns).toEqual([])
      await early(disk, fresh('/', 'e', '5'), changed('/', 'b', 'two'))
      await early(disk, fresh('/', '0', '6'))
      for (const bytesMax of [1, 1000]) expect(await allRows(disk, bytesMax)).toEqual(old)
    })

    test('are the checkpoint’s once that is written, replaced and removed as others', async () => {
      const disk = await some()
      await disk.use(async (store) => {
        store.writeEarly([...all, fresh('/', 'd', '4')])
        store.writeCheckpoint([row('/', 'c', 'three'), row('/', 'd', null)])
        await store.durable()
        expect(store.names(rooms.znode, '/').toSorted()).toEqual(['a', 'c'])
      })
      const now = ['0|||root', '0|/|a|one', '0|/|c|three']
      expect(await allRows(disk)).toEqual(now)
      await early(disk, fresh('/', 'd', 'again'), changed('/', 'c', null))
      expect(await allRows(disk)).toEqual(now)
    })

    test('of an earlier life that are not written again are none of the next checkpoint', async () => {
      const disk = await some()
      await early(disk, ...all, fresh('/', 'd', '4'))
      await disk.use(async (store) => {
        store.writeEarly([fresh('/', 'c', 'three')])
        store.writeCheckpoint([row('', '', 'new root')])
        await store.durable()
      })
      const now = ['0|||new root', '0|/|a|1', '0|/|b|2', '0|/|c|three']
      expect(await allRows(disk)).toEqual(now)
      await checkpoint(disk, row('/', 'a', null))
      expect(await allRows(disk)).toEqual(now.filter((one) => !one.includes('|a|')))
    })

    test('of an earlier life may be many', async () => {
      const disk = await some()
      const names = Array.from({ length: 1000 }, (_, at) => `n${at}`)
      await early(disk, ...names.map((name) => fresh('/', name, 'x')))
      for (let round = 0; round < 3; round++) {
        await checkpoint(disk, row('', '', `root ${round}`))
        expect(await allRows(disk, 1000)).toEqual([`0|||root ${round}`, ...old.slice(1)])
      }
    })

    test('go with the tree that a snapshot replaces, and the snapshot’s own stay', async () => {
      const disk = await some()
      await disk.use(async (store) => {
        store.restore(nothing)
        store.writeEarly([fresh('/', 'c', 'early'), changed('/', 'a', null)])
        const chunkOfNew = chunk(row('', '', 'new root'), row('/', 'c', 'new'))
        store.write([
          persist({ stageBegin: at(8, 3) }),
          persist({ stageChunk: chunkOfNew }),
          persist({ install: at(8, 3) }),
        ])
        await store.durable()
      })
      expect(await allRows(disk)).toEqual(['0|||new root', '0|/|c|new'])
    })

    test('may have paths and stand for data as long as a request', async () => {
      const disk = await some()
      const long = 'y'.repeat(1_000_000)
      await checkpoint(disk, row('/', 'large', long))
      const path = (first: string): EarlyRow => fresh(`/${first.repeat(1_000_000)}`, 'n', 'x')
      const rows = [path('b'), changed('/', 'large', 'small'), path('d'), changed('/', 'a', 'one')]
      await early(disk, ...rows)
      expect(await allRows(disk)).toEqual([...old, `0|/|large|${long}`])
    })
  })

  test('[D6] names are those under one key only', async () => {
    const disk = newDisk()
    await checkpoint(
      disk,
      row('/', 'b', '1'),
      row('/', 'a', '2'),
      row('/a', 'c', '3'),
      row('/', 'session', '4', rooms.session),
      row('/A', 'x', '5'),
    )
    await disk.use((store) => {
      expect(store.names(rooms.znode, '/').toSorted()).toEqual(['a', 'b'])
      expect(store.names(rooms.znode, '/a')).toEqual(['c'])
      expect(store.names(rooms.znode, '/nobody')).toEqual([])
    })
  })

  test.each([1, 5, 1000])(
    '[D6] pages of %i bytes have every row once, in order',
    async (bytesMax) => {
      const disk = newDisk()
      const rows = [
        row('', '', 'totals', rooms.totals),
        row('/', 'é', 'accent'),
        row('/', 'z', 'last'),
        row('/', 'Z', 'capital'),
        row('/', ' ', 'space'),
        row('/', '\uffef', 'far'),
        row('/a/b', 'c', 'deep'),
        row('/a', 'b', 'less deep'),
        row('', '', 'root'),
        row('', '0001', 'session', rooms.session),
        row('0001', '/e', '', rooms.ephemeral),
      ]
      await checkpoint(disk, ...rows)
      expect(await allRows(disk, bytesMax)).toEqual([
        '0|||root',
        '0|/| |space',
        '0|/|Z|capital',
        '0|/|z|last',
        '0|/|é|accent',
        '0|/|\uffef|far',
        '0|/a|b|less deep',
        '0|/a/b|c|deep',
        '1|0001|/e|',
        '2||0001|session',
        '3|||totals',
      ])
    },
  )
}

const chunk = (...rows: RowChange[]): Uint8Array =>
  rowsToChunk(rows.map((one) => ({ ...one, value: one.value ?? new Uint8Array(0) })))

function theSnapshot(newDisk: () => Disk): void {
  const before = async (): Promise<Disk> => {
    const disk = newDisk()
    await checkpoint(disk, row('', '', 'old root'), row('/', 'old', 'x'))
    await writeTo(disk, persist({ acceptedEpoch: asEpoch(1), currentEpoch: asEpoch(1) }))
    await writeTo(disk, append(batch(at(1), 2), batch(at(3), 2)))
    return disk
  }
  const begin = persist({ stageBegin: at(8, 3) })
  const first = persist({ stageChunk: chunk(row('', '', 'new root'), row('/', 'new', 'y')) })
  const second = persist({ stageChunk: chunk(row('1', '/new', '', rooms.ephemeral)) })
  const install = persist({ install: at(8, 3) })
  const old = {
    rows: ['0|||old root', '0|/|old|x'],
    zxids: [1, 2, 3, 4].map((counter) => at(counter)),
  }

  test.each([
    ['its beginning', [begin]],
    ['its first chunk', [begin, first]],
    ['its last chunk', [begin, first, second]],
  ])('[D7] a crash after %s leaves the old tree and the old log', async (_, persists) => {
    const disk = await before()
    await writeTo(disk, ...persists)
    expect(await allRows(disk)).toEqual(old.rows)
    expect(await zxidsIn(disk)).toEqual(old.zxids)
  })

  test('[D7] an installed snapshot replaces tree and log, and the log goes on behind it', async () => {
    const disk = await before()
    await writeTo(disk, begin, first, second, install, append(batch(at(9, 3), 1)))
    expect(await allRows(disk)).toEqual(['0|||new root', '0|/|new|y', '1|1|/new|'])
    expect(await restored(disk)).toMatchObject({
      base: at(8, 3),
      txns: [[at(9, 3), 'txn 0']],
      epochs: [1, 1],
    })
  })

  test('[D7] a chunk is not seen before its snapshot is installed', async () => {
    const disk = await before()
    await disk.use((store) => {
      store.restore(nothing)
      store.write([begin, first])
      expect(textOf(store.get(rooms.znode, '', ''))).toBe('old root')
      expect(store.names(rooms.znode, '/')).toEqual(['old'])
      store.write([second, install])
      expect(textOf(store.get(rooms.znode, '', ''))).toBe('new root')
      expect(store.names(rooms.znode, '/')).toEqual(['new'])
    })
  })

  test('[D7] a stage begun anew forgets the one before, and one snapshot follows another', async () => {
    const disk = await before()
    await writeTo(
      disk,
      begin,
      first,
      persist({ stageBegin: at(9, 3) }),
      second,
      persist({ install: at(9, 3) }),
    )
    expect(await allRows(disk)).toEqual(['1|1|/new|'])
    await writeTo(disk, begin, first)
    await writeTo(disk, begin, first, install)
    expect(await allRows(disk)).toEqual(['0|||new root', '0|/|new|y'])
    await checkpoint(disk, row('/', 'new', null), row('/', 'newer', 'z'))
    expect(await allRows(disk)).toEqual(['0|||new root', '0|/|newer|z'])
  })

  test('[D7] epochs of the persist that installs are kept with it', async () => {
    const disk = await before()
    await writeTo(disk, persist({ acceptedEpoch: asEpoch(3) }), begin, first)
    await writeTo(disk, begin, first, persist({ install: at(8, 3), currentEpoch: asEpoch(3) }))
    expect(await restored(disk)).toEqual({ base: at(8, 3), txns: [], epochs: [3, 3] })
  })
}
