import { expect, test } from 'vitest'
import { Election, HoldLost, Lock, ReadWriteLock, Semaphore } from '../../../src/recipes/index.ts'
import { eventually, Fixture, type Target } from '../../client/suite/fixture.ts'

export function locks(target: Target): void {
  const it = new Fixture(target)
  exclusion(it)
  losing(it)
  sharing(it)
  semaphores(it)
  elections(it)
}

/** Waits until so many stand below a path. */
const lineOf = (it: Fixture, path: string, length: number) =>
  eventually(async () => expect(await it.client.getChildren(path)).toHaveLength(length), 5000)

function exclusion(it: Fixture): void {
  test('one holder at a time, in the order they came, with tokens that grow', async () => {
    const path = `${it.root}/deep/lock`
    const clients = [it.client, it.open(), it.open(), it.open()]
    const order: number[] = []
    const tokens: number[] = []
    let holders = 0
    const all = clients.map(async (client, at) => {
      if (at > 0) await lineOf(it, path, at)
      await new Lock(client, path).with(async ({ token, isSure }) => {
        expect(++holders).toBe(1)
        expect(isSure).toBe(true)
        order.push(at)
        tokens.push(token)
        if (at === 0) await lineOf(it, path, clients.length)
        holders--
      })
    })
    await Promise.all(all)
    expect(order).toEqual([0, 1, 2, 3])
    expect(tokens).toEqual([...tokens].sort((one, other) => one - other))
    expect(new Set(tokens).size).toBe(4)
  })

  test('what many add under the lock is not lost', async () => {
    const path = `${it.root}/lock`
    const sum = await it.client.create(`${it.root}/sum`, { data: '0' })
    const rounds = [it.client, it.open(), it.open()].flatMap((client) => {
      const lock = new Lock(client, path)
      return Array.from({ length: 8 }, () =>
        lock.with(async () => {
          const { data } = await client.get(sum)
          await client.set(sum, `${Number(new TextDecoder().decode(data ?? undefined)) + 1}`)
        }),
      )
    })
    await Promise.all(rounds)
    await it.client.sync()
    expect(new TextDecoder().decode((await it.client.get(sum)).data ?? undefined)).toBe('24')
  })

  test('tryAcquire answers at once', async () => {
    const path = `${it.root}/lock`
    const hold = await new Lock(it.client, path).tryAcquire()
    const other = new Lock(it.open(), path)
    expect(hold).toBeDefined()
    expect(await other.tryAcquire()).toBeUndefined()
    await hold?.release()
    const next = await other.tryAcquire()
    expect(next?.token).toBeGreaterThan(hold?.token ?? Infinity)
    await lineOf(it, path, 1)
  })

  test('a wait can be given up, and stands in nobody’s way', async () => {
    const path = `${it.root}/lock`
    const hold = await new Lock(it.client, path, { label: 'first' }).acquire()
    const impatient = new AbortController()
    const second = new Lock(it.open(), path, { label: 'second' })
    const given = second.acquire({ signal: impatient.signal })
    await lineOf(it, path, 2)
    const third = new Lock(it.open(), path, { label: 'third' }).acquire()
    await lineOf(it, path, 3)
    expect(await new Lock(it.client, path).contenders()).toEqual(['first', 'second', 'third'])
    impatient.abort(new Error('no time'))
    await expect(given).rejects.toThrow('no time')
    await lineOf(it, path, 2)
    await expect(second.acquire({ signal: impatient.signal })).rejects.toThrow('no time')
    await hold.release()
    await (await third).release()
    await lineOf(it, path, 0)
  })

  test('it is released when the work throws', async () => {
    const path = `${it.root}/lock`
    const failing = new Lock(it.client, path).with(() => Promise.reject(new Error('the work')))
    await expect(failing).rejects.toThrow('the work')
    expect(await it.client.getChildren(path)).toEqual([])
  })
}

function losing(it: Fixture): void {
  test('a lost link loses no lock, and release tells nobody that it was lost', async () => {
    const path = `${it.root}/lock`
    const { client, cut } = it.openCuttable()
    const hold = await new Lock(client, path).acquire()
    const waiting = new Lock(it.client, path).acquire()
    await lineOf(it, path, 2)
    cut()
    expect(hold.isSure).toBe(false)
    expect(hold.lost.aborted).toBe(false)
    await client.sync()
    expect(hold.isSure).toBe(true)
    expect(await it.client.exists(hold.path)).toBeDefined()
    await hold.release()
    const next = await waiting
    expect(next.token).toBeGreaterThan(hold.token)
    expect(hold.lost.aborted).toBe(false)
    expect(hold.isSure).toBe(false)
  })

  test('who waits through lost links gets his turn', async () => {
    const path = `${it.root}/lock`
    const { client, cut } = it.openCuttable()
    const hold = await new Lock(it.client, path).acquire()
    await client.ready()
    const waiting = new Lock(client, path).acquire()
    // While it joins and while it waits: its reply may be lost, its place may not, and there is but one.
    await Promise.resolve()
    cut()
    await lineOf(it, path, 2)
    cut()
    await hold.release()
    const next = await waiting
    expect(await it.client.getChildren(path)).toHaveLength(1)
    await next.release()
  })

  test('one whose session ends is told, and the next one gets it', async () => {
    const path = `${it.root}/lock`
    const client = it.open()
    const hold = await new Lock(client, path).acquire()
    const waiting = new Lock(it.client, path).acquire()
    await lineOf(it, path, 2)
    await client.close()
    expect(hold.lost.aborted).toBe(true)
    expect(hold.lost.reason).toBeInstanceOf(HoldLost)
    expect(hold.isSure).toBe(false)
    await hold.release()
    expect((await waiting).token).toBeGreaterThan(hold.token)
  })

  test('one whose node is deleted is told', async () => {
    const hold = await new Lock(it.client, `${it.root}/lock`).acquire()
    const lost = new Promise((resolve) => hold.lost.addEventListener('abort', resolve))
    await it.open().delete(hold.path)
    await lost
    expect(hold.lost.reason).toMatchObject({ name: 'HoldLost', path: hold.path })
    await hold.release()
  })

  test('one who waits is told when his place is deleted', async () => {
    const path = `${it.root}/lock`
    const hold = await new Lock(it.client, path).acquire()
    const told = expect(new Lock(it.open(), path).acquire()).rejects.toThrow(HoldLost)
    await lineOf(it, path, 2)
    const places = await it.client.getChildren(path)
    const other = places.find((name) => !hold.path.endsWith(name))
    await it.client.delete(`${path}/${other}`)
    await told
  })
}

function sharing(it: Fixture): void {
  test('readers together, a writer alone, in the order they came', async () => {
    const path = `${it.root}/rw`
    const [a, b, c, d] = [it.client, it.open(), it.open(), it.open()].map(
      (client) => new ReadWriteLock(client, path),
    ) as [ReadWriteLock, ReadWriteLock, ReadWriteLock, ReadWriteLock]
    const first = await a.read.acquire()
    const second = await b.read.acquire()
    const events: string[] = []
    const writing = c.write.acquire().then((hold) => (events.push('write'), hold))
    await lineOf(it, path, 3)
    const reading = d.read.acquire().then((hold) => (events.push('read'), hold))
    await lineOf(it, path, 4)
    expect(await a.write.tryAcquire()).toBeUndefined()
    expect(await a.read.tryAcquire()).toBeUndefined()
    await first.release()
    await it.client.sync()
    expect(events).toEqual([])
    await second.release()
    const writer = await writing
    expect(events).toEqual(['write'])
    await writer.release()
    const reader = await reading
    expect(events).toEqual(['write', 'read'])
    expect(reader.token).toBeGreaterThan(writer.token)
    expect(await a.read.tryAcquire()).toBeDefined()
    expect(await b.write.tryAcquire()).toBeUndefined()
  })
}

function semaphores(it: Fixture): void {
  test('no more holders than permits, and as many', async () => {
    const path = `${it.root}/semaphore`
    const clients = [it.client, it.open(), it.open(), it.open(), it.open()]
    let [holders, most] = [0, 0]
    const all = clients.map((client) =>
      new Semaphore(client, path, 2).with(async () => {
        most = Math.max(most, ++holders)
        if (most < 2) await eventually(() => Promise.resolve(expect(most).toBe(2)), 5000)
        await client.sync()
        holders--
      }),
    )
    await Promise.all(all)
    expect(most).toBe(2)
    await lineOf(it, `${path}/leases`, 0)
  })

  test('one that ends makes room, a wait that is given up too', async () => {
    const path = `${it.root}/semaphore`
    const dying = it.open()
    const lease = await new Semaphore(dying, path, 1).acquire()
    const impatient = new AbortController()
    const given = new Semaphore(it.open(), path, 1).acquire({ signal: impatient.signal })
    await lineOf(it, `${path}/leases`, 2)
    const waiting = new Semaphore(it.client, path, 1).acquire()
    await lineOf(it, `${path}/locks`, 2)
    impatient.abort(new Error('no time'))
    await expect(given).rejects.toThrow('no time')
    await dying.close()
    const next = await waiting
    expect(next.token).toBeGreaterThan(lease.token)
    expect(lease.lost.aborted).toBe(true)
    await lineOf(it, `${path}/leases`, 1)
    await lineOf(it, `${path}/locks`, 0)
  })

  test.each([0, 1.5, -1])('%d permits are none', (permits) => {
    expect(() => new Semaphore(it.client, '/a', permits)).toThrow(RangeError)
  })
}

function elections(it: Fixture): void {
  test('the first candidate leads until it resigns or dies', async () => {
    const path = `${it.root}/leader`
    const clients = [it.client, it.open(), it.open()]
    const [a, b, c] = clients.map(
      (client, at) => new Election(client, path, { name: `node-${at}` }),
    ) as [Election, Election, Election]
    expect(await a.leader()).toBeUndefined()
    const first = await a.campaign()
    const second = b.campaign()
    await lineOf(it, path, 2)
    const third = c.campaign()
    await lineOf(it, path, 3)
    expect(await a.candidates()).toEqual(['node-0', 'node-1', 'node-2'])
    await first.release()
    const leadership = await second
    expect(await a.leader()).toBe('node-1')
    await clients[1]?.close()
    expect(leadership.lost.aborted).toBe(true)
    expect((await third).token).toBeGreaterThan(leadership.token)
    await it.client.sync()
    expect(await a.leader()).toBe('node-2')
  })
}
