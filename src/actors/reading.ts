import { Damage } from '../core/shared/damage.ts'

/** Reads from SQLite, whose own complaints of a damaged file are damage as ours are. */
export function reading<T>(what: string, read: () => T): T {
  try {
    return read()
  } catch (fault) {
    if (!/SQLITE_CORRUPT|SQLITE_NOTADB|malformed/.test(String(fault))) throw fault
    throw new Damage(`${what}: ${String(fault)}`)
  }
}
