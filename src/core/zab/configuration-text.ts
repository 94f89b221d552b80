/**
 * Reads what people and peers write about members. What ZooKeeper answers to a mistake depends on the exception it meets
 * there, and so does the fault named here.
 */
import { limits } from '../shared/limits.ts'
import { asSid, asZxid, type Sid, type Zxid } from '../shared/units.ts'
import { completed, Configuration, type Server } from './configuration.ts'

type Fault = 'BadArguments' | 'MarshallingError'

/** `BadArguments` where ZooKeeper has a ConfigException, `MarshallingError` where any other of Java's gets through. */
export class BadConfiguration extends Error {
  override name = 'BadConfiguration'
  readonly fault: Fault

  constructor(fault: Fault, message: string) {
    super(message)
    this.fault = fault
  }
}

/** The members that a whole text names (QuorumPeerConfig.parseDynamicConfig); what it says of its version is left out. */
export function readConfiguration(text: string, version: Zxid): Configuration {
  const servers = new Map<Sid, Server>()
  const groups = new Map<Sid, number>()
  const weights = new Map<Sid, number>()
  const lines = propertiesOf(text)
  for (const [key] of lines) {
    if (!/^(server\.|group|weight|version$)/.test(key)) bad(`unrecognised parameter: ${key}`)
  }
  for (const [key, value] of lines) {
    const number = key.slice(key.indexOf('.') + 1)
    if (key.startsWith('server.')) servers.set(readSid(number), readServer(value))
    else if (key.startsWith('group')) readGroup(groups, readLong(number), value)
    else if (key.startsWith('weight')) weights.set(readSid(number), readLong(value))
  }
  if (!lines.some(([key]) => /^(group|weight)/.test(key))) {
    return new Configuration(version, servers, undefined)
  }
  const voters = [...servers].filter(([, { role }]) => role === 'participant').map(([sid]) => sid)
  for (const sid of voters) if (!groups.has(sid)) bad(`server ${sid} is not in a group`)
  const grouping = completed({ groups, weights }, voters)
  for (const sid of groups.keys()) {
    if (!grouping.weights.has(sid)) worse(`server ${sid} is in a group and is no server`)
  }
  return new Configuration(version, servers, grouping)
}

/** A configuration as it is stored and sent. */
export function readStoredConfiguration(text: string): Configuration {
  const version = /^version=([0-9a-f]{1,14})$/m.exec(text)?.[1] ?? worse('it has no version')
  const configuration = readConfiguration(text, asZxid(Number.parseInt(version, 16)))
  if (configuration.voters.length === 0) bad('nobody votes')
  return configuration
}

/** The members after some left and some joined; who joins and is there takes a new place. */
export function changedConfiguration(
  present: Configuration,
  joining: string | null,
  leaving: string | null,
  version: Zxid,
): Configuration {
  const servers = new Map(present.servers)
  for (const sid of itemsOf(leaving)) servers.delete(asSid(readLong(sid)))
  for (const joiner of itemsOf(joining)) {
    const parts = joiner.split('=').filter((part) => part.trim() !== '')
    const [name = '', specification = ''] = parts
    if (parts.length !== 2) bad(`not server.N=…: ${joiner}`)
    const sid = readSid(name.slice(name.lastIndexOf('.') + 1))
    const server = readServer(specification)
    if (server.client === undefined) bad(`server ${sid} has no client port`)
    servers.set(sid, server)
  }
  return new Configuration(version, servers, undefined)
}

/** `host:port:port[:role][;[host:]port]` (QuorumPeer.QuorumServer). */
function readServer(text: string): Server {
  const [peers = '', client, ...more] = text.trim().split(';')
  const [host, port, electionPort, role = 'participant', ...rest] = partsOf(peers)
  if (more.length > 0 || rest.length > 0) bad(`more than a server: ${text}`)
  if (host === undefined || port === undefined || electionPort === undefined) {
    return bad(`less than a server: ${text}`)
  }
  const ports = [readPort(port), readPort(electionPort)]
  if (ports[0] === ports[1]) bad(`one port twice: ${text}`)
  const kind = role.trim().toLowerCase()
  if (kind !== 'participant' && kind !== 'observer') return bad(`no role is ${role}`)
  const address = [shownHost(host), ...ports].join(':')
  return { address, role: kind, client: client === undefined ? undefined : readClient(client) }
}

function readClient(text: string): string {
  const parts = partsOf(text)
  if (parts.length > 2) bad(`not a client address: ${text}`)
  const [host, port] = parts.length === 2 ? parts : ['0.0.0.0', parts[0]]
  return `${shownHost(host ?? '')}:${readPort(port ?? '')}`
}

/** A host, which may be an IPv6 address in brackets, and what stands behind it between colons. */
function partsOf(text: string): string[] {
  const [, bracketed, behind] = /^\[([^\]]*)\]:(.*)$/.exec(text) ?? []
  return bracketed === undefined ? text.split(':') : [bracketed, ...(behind ?? '').split(':')]
}

const shownHost = (host: string): string => {
  if (!/^[\w.:%-]{1,253}$/.test(host)) bad(`not a host: ${host}`)
  return host.includes(':') ? `[${host}]` : host
}

function readPort(text: string): number {
  if (!/^[+-]?\d{1,10}$/.test(text)) bad(`not a port: ${text}`)
  const port = Number(text)
  return port >= 0 && port <= 65_535 ? port : worse(`not a port: ${text}`)
}

function readGroup(groups: Map<Sid, number>, group: number, members: string): void {
  for (const member of members.split(':')) {
    const sid = readSid(member)
    if (groups.has(sid)) bad(`server ${sid} is in two groups`)
    groups.set(sid, group)
  }
}

function readSid(text: string): Sid {
  const sid = readLong(text)
  return sid >= 1 && sid <= limits.sidMax ? asSid(sid) : bad(`no server may be ${text}`)
}

const readLong = (text: string): number =>
  /^[+-]?\d{1,15}$/.test(text) ? Number(text) : worse(`not a number: ${text}`)

const itemsOf = (list: string | null): string[] =>
  (list ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')

/** What java.util.Properties makes of lines: a key, then =, : or a space, then a value. */
function propertiesOf(text: string): [key: string, value: string][] {
  const lines = text.split(/[\r\n]+/).map((line) => line.trim())
  return lines
    .filter((line) => line !== '' && !/^[#!]/.test(line))
    .map((line) => {
      const [, key = '', value = ''] = /^([^=:\s]*)\s*[=:]?\s*(.*)$/.exec(line) ?? []
      return [key, value]
    })
}

function bad(message: string): never {
  throw new BadConfiguration('BadArguments', message)
}

function worse(message: string): never {
  throw new BadConfiguration('MarshallingError', message)
}
