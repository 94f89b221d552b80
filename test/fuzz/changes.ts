/** Changes of every kind that a log may hold. */
import type { Random } from '../../src/core/shared/random.ts'
import type { Change } from '../../src/core/tree/txn.ts'

const acl = [
  { perms: 31, id: { scheme: 'world', id: 'anyone' } },
  { perms: 1, id: { scheme: 'ip', id: '::1/64' } },
]
const path = '/a/b'
const node = { path, data: new Uint8Array(5), acl, parentCVersion: 2 }

const changes: readonly Change[] = [
  { type: 'create', ...node, ephemeral: true },
  { type: 'create2', ...node, data: null, ephemeral: false },
  { type: 'createContainer', ...node },
  { type: 'createTtl', ...node, ttl: 5000 },
  { type: 'delete', path },
  { type: 'deleteContainer', path },
  { type: 'setData', path, data: null, version: 3 },
  { type: 'setAcl', path, acl, version: 1 },
  { type: 'check', path, version: 1 },
  { type: 'createSession', timeOut: 5000 },
  { type: 'closeSession' },
  { type: 'error', err: -101 },
]

export const someChange = (random: Random): Change =>
  changes[random.next() % changes.length] as Change
