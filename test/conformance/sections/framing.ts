import { held, inFile, type Section } from '../row.ts'

const here = inFile('framing')

export const framing: Section = {
  title: 'Frames, limits and order',
  rows: {
    F01: held(
      'M',
      'a length that is none closes its connection',
      here('F01 a frame of length %i closes the connection without a reply'),
      'e2e/garbage.test.ts › ${name} in a session closes the connection and leaves the session',
    ),
    F02: held(
      'M',
      'the longest frame is taken, one byte more is not',
      here('F02 a frame as long as allowed is taken, and one byte more closes the connection'),
    ),
    F03: held(
      'M',
      'a malformed body is answered, and the connection goes on',
      here('F03 a body that is none of its operation’s is answered −5, and the connection goes on'),
    ),
    F04: held(
      'M',
      'an unknown operation',
      here('F04 the unknown operation %i is answered −6, and the connection is closed'),
    ),
    F05: held(
      'M',
      'the operation 0 of a client',
      here('F05 the operation 0 is answered −6, and the connection is closed'),
    ),
    F06: held(
      'M',
      'a check outside a multi',
      here('F06 a check outside a multi is answered −6, and the connection is closed'),
    ),
    F07: held(
      'M',
      'createSession of a client is refused',
      here('F07 a client cannot open a session within its own'),
    ),
    F08: held(
      'M',
      'replies in the order of requests',
      here(
        'F08 F10 ten thousand reads and writes of one connection are answered in their order, with zxids that never go back',
      ),
    ),
    F09: held(
      'M',
      'a session’s reads and writes take effect in their order',
      here('F09 a read sees the writes its session sent before it and none it sent after'),
    ),
    F10: held(
      'M',
      'the zxids of replies never go back',
      here(
        'F08 F10 ten thousand reads and writes of one connection are answered in their order, with zxids that never go back',
      ),
    ),
    F11: held('M', 'a refused write uses up a zxid', here('F11 a refused write uses up a zxid')),
    F12: held(
      'M',
      'no data and empty data are two things',
      here('F12 no data and data of no bytes are two things'),
    ),
    F13: held(
      'M',
      'TCP may cut and join the bytes as it likes',
      'e2e/bridge.test.ts › a session’s bytes are those of the member’s own port, however they are cut',
      'e2e/garbage.test.ts › a frame cut at every byte, then silence, then the rest: answered once whole',
      'core/deframer.test.ts › frames come out as they went in, however the bytes are cut',
    ),
    F14: held(
      'S',
      'a client that asks faster than it is answered is read slower',
      'e2e/modes.test.ts › [R8] loses nothing of a client that asks faster than it is answered',
      'core/host.test.ts › where others use up what there is, too, but never while nothing of his waits',
    ),
    F15: held(
      'S',
      'operations that waited too long are answered −127',
      'core/desk.test.ts › or, after too long, are answered untried',
    ),
  },
}
