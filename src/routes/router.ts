/** Every URL we answer. */
import { type IRequest, json, Router } from 'itty-router'
import type { Env } from '../actors/env.ts'
import { log } from '../actors/log.ts'
import { SettingsError } from '../core/shared/read-settings.ts'
import { leave, listMembers, noteDisk, orderMember, requireToken } from './admin.ts'
import { openSession } from './session.ts'
import { tellWord } from './words.ts'

export const router = Router<IRequest, [Env]>({ catch: answerFailure, finally: [json] })
  .get('/', greet)
  .get('/session', openSession)
  .get('/words/:word', tellWord)
  .all('/admin/*', requireToken)
  .get('/admin/members', listMembers)
  .post('/admin/members/:sid/:order', orderMember)
  .post('/admin/disk/:state', noteDisk)
  .post('/admin/leave', leave)
  .all('*', notFound)

function greet(): object {
  return { service: 'durable-keeper', session: '/session (WebSocket)', admin: '/admin/members' }
}

function notFound(request: IRequest): Response {
  const { pathname } = new URL(request.url)
  return Response.json(
    { error: `there is nothing at ${request.method} ${pathname}` },
    { status: 404 },
  )
}

function answerFailure(fault: unknown): Response {
  if (fault instanceof SettingsError)
    return Response.json({ error: fault.message }, { status: 500 })
  log('request.failed', { why: String(fault) })
  return Response.json({ error: 'the request failed inside; the log says why' }, { status: 500 })
}
