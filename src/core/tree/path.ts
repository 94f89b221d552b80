/** What a znode may be called (PathUtils.validatePath), and how paths are taken apart. */

/** Where the members of the ensemble stand. */
export const configPath = '/zookeeper/config'

/** The parent of a path that is not the root: `/a/b` → `/a`, `/a` → `/`. */
export function parentOf(path: string): string {
  const slash = path.lastIndexOf('/')
  return slash <= 0 ? '/' : path.slice(0, slash)
}

/** The last segment: `/a/b` → `b`. */
export const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1)

/** The path of a child. */
export const childOf = (parent: string, name: string): string =>
  parent === '/' ? `/${name}` : `${parent}/${name}`

/** Why a path is none, in words; undefined if it is one. */
export function pathFault(path: string): string | undefined {
  if (path.length === 0) return 'a path is never empty'
  if (path.charCodeAt(0) !== slash) return 'a path starts with /'
  if (path.length === 1) return undefined
  if (path.charCodeAt(path.length - 1) === slash) return 'a path does not end with /'
  let segment = 1
  for (let at = 1; at <= path.length; at++) {
    const code = at === path.length ? slash : path.charCodeAt(at)
    if (code === slash) {
      const fault = segmentFault(path, segment, at)
      if (fault !== undefined) return fault
      segment = at + 1
    } else if (isRefused(code)) {
      return `character 0x${code.toString(16)} at ${at} is not allowed`
    }
  }
  return undefined
}

const slash = 0x2f
const dot = 0x2e

function segmentFault(path: string, from: number, to: number): string | undefined {
  if (to === from) return `an empty name at ${from}`
  if (path.charCodeAt(from) !== dot) return undefined
  if (to === from + 1) return `relative paths are not allowed: . at ${from}`
  if (to === from + 2 && path.charCodeAt(from + 1) === dot) {
    return `relative paths are not allowed: .. at ${from}`
  }
  return undefined
}

/** UTF-16 units ZooKeeper refuses: controls, surrogates with all private use, and the last of the plane. */
function isRefused(code: number): boolean {
  return (
    code <= 0x1f ||
    (code >= 0x7f && code <= 0x9f) ||
    (code >= 0xd800 && code <= 0xf8ff) ||
    code >= 0xfff0
  )
}
