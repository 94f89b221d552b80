import { readdirSync, readFileSync } from 'node:fs'

/** A process and everything it started. */
export function familyOf(pid: number): number[] {
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      const status = readFileSync(`/proc/${name}/status`, 'utf8')
      parents.set(Number(name), Number(/PPid:\s+(\d+)/.exec(status)?.[1] ?? 0))
    } catch {
      // It ended while we looked.
    }
  }
  const family = [pid]
  for (const member of family) {
    for (const [child, parent] of parents) if (parent === member) family.push(child)
  }
  return family
}

/** The process that serves: workerd itself, not the command that started it. */
export function workerdOf(pid: number): number | undefined {
  return familyOf(pid).find((member) => {
    try {
      return readFileSync(`/proc/${member}/cmdline`, 'utf8').split('\0')[0]?.endsWith('/workerd')
    } catch {
      return false // it has just gone
    }
  })
}
