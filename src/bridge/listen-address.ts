/** Where a bridge listens: `[host:]port[=member]`. */
import { isIP } from 'node:net'

export interface ListenAddress {
  readonly host: string
  readonly port: number
  /** Clients of this port are served by this member; otherwise by whichever is near. */
  readonly member: number | undefined
}

/** Throws an Error that says what is wrong. A port alone is one of this machine only. */
export function readListenAddress(text: string): ListenAddress {
  const parts = /^(?:(?<host>\[[^\]]*\]|[^:[\]]*):)?(?<port>\d+)(?:=(?<member>\d+))?$/.exec(text)
  if (parts === null) throw new Error(`"${text}" is not [host:]port[=member]`)
  const { host = '127.0.0.1', port, member } = parts.groups as Record<string, string | undefined>
  const bare = (host ?? '').replace(/^\[|\]$/g, '')
  if (bare === '' || (host.startsWith('[') && isIP(bare) !== 6)) {
    throw new Error(`"${text}" names no host; 0.0.0.0 is all of IPv4, [::] is everything`)
  }
  if (Number(port) < 1 || Number(port) > 65_535) throw new Error(`there is no port ${port}`)
  if (member !== undefined && (Number(member) < 1 || Number(member) > 254)) {
    throw new Error(`there is no member ${member}: they count from 1`)
  }
  return {
    host: bare,
    port: Number(port),
    member: member === undefined ? undefined : Number(member),
  }
}

export const showListenAddress = ({ host, port }: ListenAddress): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
