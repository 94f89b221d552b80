/** Entries of an ACL: who may do what. */
import type { Acl } from '../core/jute/records.ts'
import { permissions } from '../core/wire/opcodes.ts'

/**
 * Each answers one entry; `perms` are `permissions`, added with `|`, all of them by default.
 *
 *     await client.create('/a', { acl: [allow.world(permissions.read), allow.auth()] })
 */
export const allow = {
  /** Everyone. */
  world: (perms: number = permissions.all): Acl => entry(perms, 'world', 'anyone'),

  /** Whoever has proved what this client has proved by `addAuth`, which it must have done before. */
  auth: (perms: number = permissions.all): Acl => entry(perms, 'auth', ''),

  /** Whoever proves by `addAuth('digest', 'user:password')` to be this user. The entry holds a hash of the password. */
  async digest(user: string, password: string, perms: number = permissions.all): Promise<Acl> {
    const sha1 = await crypto.subtle.digest('SHA-1', encoder.encode(`${user}:${password}`))
    return entry(perms, 'digest', `${user}:${btoa(String.fromCharCode(...new Uint8Array(sha1)))}`)
  },

  /** Clients at this address, or in this network: `10.0.0.0/8`. */
  ip: (address: string, perms: number = permissions.all): Acl => entry(perms, 'ip', address),
}

const entry = (perms: number, scheme: string, id: string): Acl => ({ perms, id: { scheme, id } })

const encoder = new TextEncoder()
