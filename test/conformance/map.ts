/** Every row of docs/conformance.md, in the order of the page. */
import type { Section } from './row.ts'
import { clients } from './sections/clients.ts'
import { nodes } from './sections/nodes.ts'
import { configuration } from './sections/configuration.ts'
import { ensemble } from './sections/ensemble.ts'
import { framing } from './sections/framing.ts'
import { multi } from './sections/multi.ts'
import { security } from './sections/security.ts'
import { sessions } from './sections/sessions.ts'
import { watches } from './sections/watches.ts'

export const sections: readonly Section[] = [
  sessions,
  framing,
  nodes,
  multi,
  watches,
  security,
  configuration,
  ensemble,
  clients,
]
