import { held, inFile, notHeld, type Section } from '../row.ts'

const acl = inFile('acl')
const quota = inFile('quota')

export const security: Section = {
  title: 'ACLs, authentication and quotas',
  rows: {
    A01: held(
      'M',
      'every operation asks for its permission',
      acl('A01 every operation asks for its permission and for no other'),
    ),
    A02: held(
      'M',
      'a deletion asks the parent',
      acl('A02 a deletion is a matter of the parent’s ACL, not of the node’s'),
    ),
    A03: held(
      'M',
      'the scheme digest',
      acl('A03 a digest id is the base64 of the SHA-1 of user and password'),
    ),
    A04: held(
      'M',
      'the scheme auth',
      acl('A04 the scheme auth stands for everybody one has said one is; nobody is refused'),
      acl('A04 A05 an id may be null where its scheme minds none, as kazoo writes an empty one'),
    ),
    A05: held(
      'M',
      'what is an ACL and what is none',
      acl(
        'A05 what is no ACL is refused, what stands twice stands once, no permission at all is one',
      ),
    ),
    A06: held(
      'M',
      'setACL',
      acl('A06 setACL checks and counts the version of the ACL, and moves nothing else'),
    ),
    A07: held(
      'M',
      'getACL',
      acl('A07 getACL asks for READ or ADMIN, and hides digests from who has no ADMIN'),
    ),
    A08: held(
      'M',
      'the scheme ip, by the client’s own address',
      acl('A08 a client is known by its address, whole or by its first bits'),
      'bridge/bridge.test.ts › vouches for the address of the client',
    ),
    A09: held('S', 'addresses of IPv6', acl('A09 addresses of IPv6 may stand in an ACL')),
    A10: held('M', 'the super user', acl('A10 the super user may do everything')),
    A11: held(
      'M',
      'an auth scheme that is none',
      acl('A11 the auth scheme “%s” is answered −115, and the connection is closed'),
    ),
    A12: held(
      'M',
      'several identities, and whoAmI',
      acl('A12 one may be several, and whoAmI tells all of them'),
    ),
    A13: held(
      'M',
      'who one is is said anew on every connection',
      acl('A13 who one is must be said again on every connection'),
    ),
    A14: held(
      'S',
      'enforce.auth: nothing before an authentication',
      'e2e/modes.test.ts › [S16] answers −124 to who proved nothing, and closes',
    ),
    A15: notHeld(
      'S',
      'SASL with DIGEST-MD5',
      'not built: answered with an empty token, as a server without SASL does',
    ),
    A16: held(
      'S',
      'x509: who one is by certificate',
      'e2e/bridge.test.ts › goes on both sides, with certificates of both',
    ),
    A17: held(
      'M',
      'no node without an ACL',
      acl('A17 no node is ever without an ACL, which would be open to all'),
    ),
    Q01: held(
      'M',
      'quotas and what they count',
      quota('Q01 a quota’s node counts what is below it, itself too, in ZooKeeper’s words'),
      'interop/zkcli.test.ts › sets a quota, lists what it counts, and deletes it',
    ),
    Q02: held(
      'M',
      'a soft quota only logs',
      'e2e/modes.test.ts › [R9] writes a line about a soft quota that is exceeded',
    ),
    Q03: held(
      'S',
      'a hard quota refuses',
      quota('Q03 a hard quota refuses the node or the bytes too many with −125'),
    ),
    Q04: held(
      'S',
      'quotas count in multis and outlive restarts',
      quota('Q04 the operations of a multi are counted'),
      quota('Q04 what was counted outlives every member, and is the same at each'),
    ),
  },
}
