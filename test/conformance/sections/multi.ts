import { held, inFile, type Section } from '../row.ts'

const here = inFile('multi')

export const multi: Section = {
  title: 'Transactions',
  rows: {
    X01: held(
      'M',
      'all or nothing',
      here(
        'X01 X02 a refused operation undoes all: 0 before it, its code, −2 behind it, under a header without error',
      ),
    ),
    X02: held(
      'M',
      'what a refused multi answers',
      here(
        'X01 X02 a refused operation undoes all: 0 before it, its code, −2 behind it, under a header without error',
      ),
    ),
    X03: held(
      'M',
      'what each operation answers',
      here('X03 every kind of operation answers in its own form'),
    ),
    X04: held(
      'M',
      'later operations see earlier ones',
      here('X04 later operations see what earlier ones did'),
    ),
    X05: held('M', 'one zxid and one time', here('X05 everything has one zxid and one time')),
    X06: held('M', 'a multi of nothing', here('X06 a multi of nothing answers nothing')),
    X07: held(
      'M',
      'what no multi may hold',
      here('X07 a multi of what no multi holds is answered −5 as a whole'),
    ),
    X08: held('M', 'ACLs inside a multi', here('X08 the ACL is asked for every operation')),
    X09: held(
      'M',
      'a refused multi leaves no trace',
      here('X09 a refused multi leaves no trace for what stands right behind it'),
    ),
    X10: held('M', 'multiRead', here('X10 a multiRead answers each read for itself')),
    X11: held(
      'M',
      'its events, in order and at one zxid',
      here('X11 each operation’s event comes, in their order and before the reply'),
    ),
    X12: held(
      'M',
      'a multi that is too long',
      here('X12 a multi longer than a frame closes the connection, and nothing of it is applied'),
    ),
  },
}
