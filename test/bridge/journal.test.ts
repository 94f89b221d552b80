import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Journal } from '../../src/bridge/journal.ts'
import { limits } from '../../src/core/shared/limits.ts'

describe('the journal of a bridge', () => {
  const lines: string[] = []
  const paper = {
    note: (line: string) => void lines.push(line),
    complain: (line: string) => void lines.push(`! ${line}`),
  }
  beforeEach(() => {
    vi.useFakeTimers()
    lines.length = 0
  })
  afterEach(() => vi.useRealTimers())

  it('tells one trouble once in a while, and then how often', () => {
    const journal = new Journal(false, paper)
    for (let times = 0; times < 5; times++) journal.trouble('far')
    journal.trouble('near')
    expect(lines).toEqual(['! far', '! near'])
    vi.advanceTimersByTime(limits.sameTroubleMs)
    expect(lines.slice(2)).toEqual(['! far (4 more in 10 s)'])
    journal.trouble('far')
    expect(lines.length).toBe(3)
    vi.advanceTimersByTime(limits.sameTroubleMs)
    expect(lines.slice(3)).toEqual(['! far (1 more in 10 s)'])
    vi.advanceTimersByTime(limits.sameTroubleMs)
    journal.trouble('far')
    expect(lines.slice(4)).toEqual(['! far'])
  })

  it('has details for those who ask', () => {
    new Journal(false, paper).detail('small')
    new Journal(true, paper).detail('asked')
    expect(lines).toEqual(['asked'])
  })
})
