import { describe, expect, test } from 'vitest'
import { ask, Machine, op } from './machine.ts'

function full(): Machine {
  const machine = new Machine().open()
  for (const path of ['/a', '/a/c', '/b']) machine.run(ask.create(path))
  machine.rules.isStorageFull = true
  return machine
}

describe('[R10] while the disk is nearly full', () => {
  test('what adds is refused with −1, after every fault of its own', () => {
    const machine = full()
    expect(machine.fate(ask.create('/x'))).toBe('SystemError')
    expect(machine.fate(ask.create2('/x', 'ephemeralSequential'))).toBe('SystemError')
    expect(machine.fate(ask.create('/a'))).toBe('NodeExists')
    expect(machine.fate(ask.create('/none/x'))).toBe('NoNode')
    expect(machine.fate(ask.set('/a', 'longer'))).toBe('SystemError')
    expect(machine.fate(ask.setAcl('/a'))).toBe('SystemError')
    expect(machine.tree.get('/x')).toBe(undefined)
  })

  test('what frees, or adds nothing, goes on, and sessions come and go', () => {
    const machine = full()
    expect(machine.fate(ask.delete('/a/c'))).toBe('granted')
    expect(machine.fate(ask.set('/a', 'z'))).toBe('granted')
    expect(machine.fate(ask.set('/a', null))).toBe('granted')
    expect(machine.fate(ask.multi(op.delete('/b'), op.check('/a')))).toBe('granted')
    machine.open(7n as never)
    expect(machine.fate(ask.close(), 7n as never)).toBe('granted')
  })

  test('a multi that adds is refused as a whole, and leaves no trace', () => {
    const machine = full()
    const { outcome } = machine.run(ask.multi(op.delete('/b'), op.create('/x'), op.delete('/a/c')))
    expect(outcome.parts?.map(({ err }) => err)).toEqual([0, -1, -2])
    expect(machine.tree.get('/b')).toBeDefined()
  })

  test('and everything is as before once there is room', () => {
    const machine = full()
    machine.rules.isStorageFull = false
    expect(machine.fate(ask.create('/x'))).toBe('granted')
  })
})
