import { held, inFile, type Section } from '../row.ts'

const here = inFile('handshake')

export const sessions: Section = {
  title: 'Handshake and sessions',
  rows: {
    W01: held(
      'M',
      'a ConnectRequest with the read-only byte',
      here('W01 a ConnectRequest of 45 bytes is answered with 37'),
    ),
    W02: held(
      'M',
      'a ConnectRequest without it, as old clients send',
      here('W02 a ConnectRequest of 44 bytes, as old clients send it, is answered with 36'),
    ),
    W03: held(
      'M',
      'the timeout is granted within bounds',
      here('W03 of %i ms asked for, %i are granted'),
    ),
    W04: held(
      'M',
      'requests sent behind the ConnectRequest',
      here(
        'W04 requests right behind the ConnectRequest wait for the session, however the bytes are cut',
      ),
    ),
    W05: held(
      'M',
      'a session is resumed',
      here('W05 a session is resumed with its id and password, and its ephemerals are there'),
    ),
    W06: held(
      'M',
      'resuming negotiates the timeout anew',
      here('W06 resuming with %i ms asked for, %i are granted'),
    ),
    W07: held(
      'M',
      'a session is resumed at another member',
      here('W07 a session is resumed at another member, its ephemerals kept'),
    ),
    W08: held(
      'M',
      'a wrong password is refused; unlike in ZooKeeper it does not disturb the owner',
      here('W08 a wrong password gets zeros and the end; the owner’s connection stays'),
    ),
    W09: held(
      'M',
      'a session that is no more is refused in the same way',
      here('W09 a session that never was, was closed or has expired gets zeros and the end'),
    ),
    W10: held(
      'M',
      'a client that has seen more than the member is sent on',
      here('W10 a client that has seen more than the server is let go without a byte'),
    ),
    W11: held(
      'M',
      'a session has one connection, the newest',
      here('W11 a second connection of a session closes the first without a reply'),
    ),
    W12: held(
      'M',
      'requests on a connection that the session has left do nothing',
      here('W12 a write on the connection that a session has left is not applied'),
      'core/desk.test.ts › a write through an attachment that another member took over hangs up',
    ),
    W13: held(
      'M',
      'a silent session expires within its timeout and two ticks',
      here('W13 W14 a session that is left expires in time, and its ephemerals vanish at one zxid'),
      'e2e/expiry.test.ts › expires within timeout + 2 ticks; all ephemerals vanish at one zxid; its connection is closed',
    ),
    W14: held(
      'M',
      'all ephemerals of a session vanish at one zxid',
      here('W13 W14 a session that is left expires in time, and its ephemerals vanish at one zxid'),
      'e2e/ensemble/large-session.test.ts › W14 fifty thousand ephemerals of a session that ends go all at once or not yet, whatever dies in the middle',
    ),
    W15: held(
      'M',
      'pings keep a session',
      here('W15 W16 pings alone, and reads alone, keep a session'),
    ),
    W16: held(
      'M',
      'so does every other request',
      here('W15 W16 pings alone, and reads alone, keep a session'),
    ),
    W17: held(
      'M',
      'who is silent on an open connection is hung up on',
      here('W17 a silent session with an open connection expires, and is hung up on'),
    ),
    W18: held(
      'M',
      'closeSession',
      here(
        'W18 closeSession is answered and hung up on; ephemerals are gone at once, the session cannot be resumed',
      ),
    ),
    W19: held(
      'M',
      'sessions outlive the loss of their leader',
      'e2e/failover.test.ts › keeps every acknowledged write, every session and every ephemeral',
    ),
    W20: held(
      'M',
      'sessions outlive a restart of everything that is shorter than their timeout',
      'e2e/crash.test.ts › keeps every acknowledged write over kill -9, goes on with its zxids, and sessions resume',
    ),
    W21: held(
      'M',
      'ids are unique, passwords cannot be guessed',
      here(
        'W21 a thousand sessions have ids and passwords of their own, which do not follow from the ids',
      ),
    ),
    W22: held(
      'S',
      'the member’s number in the high byte of the id; all 64 bits kept',
      here('W22 the highest byte of a session’s id is its member’s, and every bit of it is kept'),
      'core/host.test.ts › [S12] of a member above 127 has a negative id, as in ZooKeeper',
    ),
    W23: held(
      'S',
      'local sessions',
      'e2e/modes.test.ts › [S18] begins a session without a txn, and makes it global for its first ephemeral',
      'core/desk.test.ts › creates none where it may not become global',
    ),
    W24: held(
      'S',
      'the handshake of a read-only client',
      'e2e/modes.test.ts › [S19] a member alone serves reads to who takes that, and lets go when there is a quorum',
    ),
    W25: held(
      'S',
      'a limit of connections per address',
      'e2e/modes.test.ts › [S17] closes the connection beyond its limit without a reply, and counts it',
    ),
    W26: held(
      'S',
      'a client that never says who it is is let go after 10 s',
      'core/host.test.ts › [S15] a client that does not say who it is in time is let go',
    ),
    W27: held(
      'M',
      'a session outlives the hibernation of its actor',
      'actors/sessions.workers.test.ts › [S2] its sockets go on: same session, watches set before fire, requests are answered',
      'actors/lifetimes.workers.test.ts › [S5] a session whose socket answers only text pings by itself does not expire',
    ),
    W28: held(
      'M',
      'a session outlives the replacement of its actor',
      'actors/sessions.workers.test.ts › [S3] its clients resume their sessions, with watches and ephemerals',
    ),
  },
}
