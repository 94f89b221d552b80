/** The Worker: HTTP and WebSockets go to the router, TCP to the members' ports; the two actors live here too. */
import type { Env } from './actors/env.ts'
import { connect } from './routes/connect.ts'
import { router } from './routes/router.ts'

export { Door } from './actors/door.ts'
export { Member } from './actors/member.ts'
export { Session } from './actors/session.ts'

export default {
  fetch: (request: Request, env: Env) => router.fetch(request, env),
  connect: (socket: Socket, env: Env) => connect(socket, env),
}
