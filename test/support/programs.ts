/** The programs of Debian’s packages that the tests use where they are installed, and how to tell. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

/** package zookeeper */
export const zooKeeperJar = '/usr/share/java/zookeeper.jar'
export const zkCli = '/usr/share/zookeeper/bin/zkCli.sh'
/** package zookeeper-bin */
export const cliMt = '/usr/lib/zookeeper/bin/cli_mt'
/** package libcurator-recipes-java, whose manifest names all that it needs; a logger that says nothing comes with those */
export const curatorClassPath = '/usr/share/java/curator-recipes.jar:/usr/share/java/slf4j-nop.jar'
/** package python3-kazoo belongs to Debian’s own python, which need not be the first on the path */
export const python = '/usr/bin/python3'

/** package zookeeper, whose manifest names all that it needs; the logger that says nothing comes with the other */
export const javaClientClassPath = `${zooKeeperJar}:/usr/share/java/slf4j-nop.jar`

const ends0 = (command: string, ...args: readonly string[]): boolean =>
  spawnSync(command, args, { stdio: 'ignore' }).status === 0

/** Our drivers in Java are source files, so that they take a JDK. */
const runsSources = (classPath: string): boolean =>
  classPath.split(':').every((jar) => existsSync(jar)) &&
  ends0('java', '--add-modules', 'jdk.compiler', '-version')

export const isInstalled = {
  zooKeeper: (): boolean => existsSync(zooKeeperJar) && ends0('java', '-version'),
  zkCli: (): boolean => existsSync(zkCli) && ends0('java', '-version'),
  cliMt: (): boolean => existsSync(cliMt),
  kazoo: (): boolean => existsSync(python) && ends0(python, '-c', 'import kazoo'),
  curator: (): boolean => runsSources(curatorClassPath),
  javaClient: (): boolean => runsSources(javaClientClassPath),
  zookeeperBinding: (): boolean => ends0(nodeOfNpm(), '-e', "require('zookeeper')"),
}

/** npm’s `zookeeper` is compiled for the Node that runs npm, which is not the Node of our own scripts. */
export const nodeOfNpm = (): string =>
  [process.env['npm_node_execpath'], '/usr/bin/node', process.execPath].find(
    (node) => node !== undefined && ends0(node, '-e', "require('zookeeper')"),
  ) ?? process.execPath
