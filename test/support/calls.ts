import { stringify } from 'node:querystring'
import twilio from 'twilio'
import { expect } from 'vitest'
import type { ContractServer } from './contract-files.ts'
import { newSid } from './fake-twilio.ts'
import { present } from './result.ts'

export const OURS = '+15005550006'
export const ELSEWHERE = '+15005550007'
export const TIMESTAMP = 'Mon, 21 Dec 2020 15:19:52 +0000'
export const ENDED = Date.parse(TIMESTAMP)

let callers = 0
/** A phone number that no other test of this file uses. */
export const newCaller = (): string => `+1415555${String(++callers).padStart(4, '0')}`

export const inboundFrom = (From: string) => ({ CallSid: newSid('CA'), Direction: 'inbound', From, To: OURS, AccountSid: 'AC1' })
export type Call = ReturnType<typeof inboundFrom>

/** The status callback of a call, 40 seconds long. */
export const status = (call: Call, CallStatus: string, extra: Record<string, string> = {}): Call & Record<string, string> => ({
  ...call,
  CallStatus,
  Timestamp: TIMESTAMP,
  CallDuration: '40',
  ...extra,
})

/** The action request of its `<Dial>`. */
export const dialed = (call: Call, DialCallStatus: string, extra: Record<string, string> = {}): Call & Record<string, string> => ({
  ...call,
  CallStatus: 'in-progress',
  DialCallStatus,
  ...extra,
})

/** Posts to the calls of any organization, signed with any token, or not at all. */
export async function postTo(
  server: ContractServer,
  slug: string,
  params: Record<string, string>,
  token: string | null,
): Promise<Response> {
  const path = `/webhooks/twilio/${slug}/voice`
  const signature = token === null ? '' : twilio.getExpectedTwilioSignature(token, `${server.app.deps.config.PUBLIC_URL}${path}`, params)
  const headers = { 'content-type': 'application/x-www-form-urlencoded', 'x-twilio-signature': signature }
  return fetch(`${server.app.url}${path}`, { method: 'POST', headers, body: stringify(params) })
}

export const callLogs = ({ app }: ContractServer, externalMessageId: string) =>
  app.deps.db.communication.findMany({
    where: { externalMessageId },
    include: { customer: { include: { identities: true, conversations: true } } },
  })

/** The one record of a call; fails where there are several, or none. */
export async function callLog(server: ContractServer, sid: string) {
  const [log, ...others] = await callLogs(server, sid)
  expect(others).toEqual([])
  return present(log)
}

export const CREATED = { type: 'COMMUNICATION_CREATED', data: {} }
export const CHANGED = { type: 'COMMUNICATION_CHANGED', data: { change: 'call' } }

export const eventsOf = async ({ app }: ContractServer, communicationId: string) =>
  (await app.deps.db.event.findMany({ where: { communicationId }, orderBy: { seq: 'asc' } })).map(({ type, data }) => ({ type, data }))

/** What became of all webhooks of the organization. */
export const webhookStatuses = async ({ app, organizationId }: ContractServer) =>
  (await app.deps.db.webhookReceipt.findMany({ where: { organizationId } })).map((row) => row.status).sort()
