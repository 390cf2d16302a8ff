import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { sealedCredentials } from '../../src/domain/channel-credentials.ts'
import { createOrganization } from '../../src/domain/create-organization.ts'
import { newId } from '../../src/domain/ids.ts'
import { ReplayWebhookReceiptDocument, WebhookReceiptsDocument } from '../generated/graphql.ts'
import {
  CHANGED,
  CREATED,
  callLog,
  callLogs,
  dialed,
  ELSEWHERE,
  eventsOf,
  inboundFrom,
  newCaller,
  OURS,
  postTo,
  status,
  TIMESTAMP,
  webhookStatuses,
} from '../support/calls.ts'
import { type ContractServer, startContractServer, twilioCredentials } from '../support/contract-files.ts'
import { dataOf, member, present } from '../support/result.ts'

let server: ContractServer
let smsAccount: string

beforeAll(async () => {
  server = await startContractServer()
  smsAccount = await server.account('TWILIO', 'SMS', OURS, twilioCredentials)
})
afterAll(() => server?.app.close())
beforeEach(() => server.clear())

const post = (params: Record<string, string>) => server.twilio('voice', params)

describe('who may tell', () => {
  test('nobody without the signature, nor at an address that is none', async () => {
    const params = status(inboundFrom(newCaller()), 'busy')
    const token = twilioCredentials.authToken
    const answers = [
      postTo(server, 'contracts', params, null),
      postTo(server, 'contracts', params, 'another token'),
      postTo(server, 'nobody', params, token),
      postTo(server, 'contracts/voice', params, token),
    ]
    expect((await Promise.all(answers)).map((answer) => answer.status)).toEqual([403, 403, 404, 404])
    expect(await callLogs(server, params.CallSid)).toEqual([])
  })

  test('any of several accounts at Twilio, also of a number of another; the record is one', async () => {
    const second = { accountSid: 'AC00000000000000000000000000000002', authToken: 'the token of the second' }
    const account = await server.account('TWILIO', 'SMS', ELSEWHERE, second)
    const calls = [inboundFrom(newCaller()), { ...inboundFrom(newCaller()), To: ELSEWHERE }]
    for (const call of calls) {
      const told = [second.authToken, twilioCredentials.authToken].flatMap((token) => [
        postTo(server, 'contracts', status(call, 'completed'), token),
        postTo(server, 'contracts', dialed(call, 'busy'), token),
      ])
      expect((await Promise.all(told)).map((answer) => answer.status)).toEqual([200, 200, 200, 200])
    }
    const [first, other] = await Promise.all(calls.map(({ CallSid }) => callLog(server, CallSid)))
    expect(first).toMatchObject({ channelAccountId: smsAccount, callOutcome: 'BUSY' })
    expect(other).toMatchObject({ channelAccountId: account, callOutcome: 'BUSY' })
  })

  test('two organizations with the same number each have their own record', async () => {
    const { id: organizationId } = await createOrganization(server.app.deps, { slug: 'others', name: 'Others' })
    const row = { organizationId, provider: 'TWILIO', channel: 'SMS', address: OURS, name: 'Ours too', status: 'ACTIVE' } as const
    await server.app.deps.db.channelAccount.create({
      data: { id: newId(), ...row, ...sealedCredentials(server.app.deps, twilioCredentials) },
    })
    const call = inboundFrom(newCaller())
    for (const slug of ['contracts', 'others', 'others', 'contracts'])
      expect((await postTo(server, slug, status(call, 'busy'), twilioCredentials.authToken)).status).toBe(200)
    const both = await callLogs(server, call.CallSid)
    expect(both.map((log) => log.organizationId).sort()).toEqual([server.organizationId, organizationId].sort())
    expect(new Set(both.map(({ customerId }) => customerId)).size).toBe(2)
  })
})

test('a replayed webhook changes nothing', async () => {
  const call = inboundFrom(newCaller())
  await post(dialed(call, 'no-answer'))
  await post(status(call, 'completed'))
  const log = await callLog(server, call.CallSid)
  const token = await server.app.token({ organization: 'contracts' })
  const { nodes } = present(dataOf(await server.app.request(WebhookReceiptsDocument, {}, token)).webhookReceipts)
  expect(nodes).toHaveLength(2)
  for (const { id } of nodes) {
    const { replayWebhookReceipt } = dataOf(
      await server.app.request(ReplayWebhookReceiptDocument, { input: { webhookReceiptId: id } }, token),
    )
    expect(member(replayWebhookReceipt, 'ReplayWebhookReceiptSuccess').webhookReceipt).toMatchObject({ status: 'APPLIED', replays: 1 })
  }
  expect(await callLog(server, call.CallSid)).toEqual(log)
  expect(await eventsOf(server, log.id)).toEqual([CREATED, CHANGED])
})

test('whatever is signed is answered 200', async () => {
  const names = fc.constantFrom(
    ...[
      'CallSid',
      'CallStatus',
      'DialCallStatus',
      'DialCallDuration',
      'CallDuration',
      'Direction',
      'From',
      'To',
      'Timestamp',
      'AnsweredBy',
    ],
  )
  const odd = fc.constantFrom(
    ...['\0', '1e309', '-1', '-0', '99999999999999', 'completed', 'no-answer', 'anonymous', 'outbound-api', TIMESTAMP, 'x'.repeat(70_000)],
    ...['Mon, 01 Jan 2000 00:00:00 -9999', 'CA1', `+${'9'.repeat(15)}`, 'sip:\0@x'],
  )
  await fc.assert(
    fc.asyncProperty(fc.dictionary(names, fc.oneof(odd, fc.string({ unit: 'binary' }))), async (params) => {
      const sent = { ...status(inboundFrom(newCaller()), 'completed'), ...params }
      expect((await post(sent)).status, JSON.stringify(sent).slice(0, 2000)).toBe(200)
    }),
    { numRuns: 80 },
  )
  expect(new Set(await webhookStatuses(server))).not.toContain('FAILED')
})

test('bytes that are no form are refused, and harm nobody', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 500 }), async (bytes) => {
      const headers = { 'content-type': 'application/x-www-form-urlencoded', 'x-twilio-signature': 'AAAA' }
      const url = `${server.app.url}/webhooks/twilio/contracts/voice`
      expect((await fetch(url, { method: 'POST', headers, body: new Uint8Array(bytes) })).status).toBe(403)
    }),
    { numRuns: 30 },
  )
})

test('the record of a call is found by an index', async () => {
  const { pool } = server.app.deps
  const client = await pool.connect()
  try {
    await client.query('BEGIN')
    await client.query(`INSERT INTO customer (id, organization_id) VALUES ('0192f3a4-0000-7000-8000-000000000000', $1)`, [
      server.organizationId,
    ])
    await client.query(
      `INSERT INTO communication (id, organization_id, customer_id, channel_account_id, external_message_id, type, direction, body, created_at)
       SELECT gen_random_uuid(), $1, '0192f3a4-0000-7000-8000-000000000000', $2, 'CA' || n, 'CALL_LOG', 'INBOUND', '', now() FROM generate_series(1, 20000) n`,
      [server.organizationId, smsAccount],
    )
    await client.query('ANALYZE communication')
    const { rows } = await client.query<{ 'QUERY PLAN': string }>(
      `EXPLAIN SELECT c.id FROM channel_account a
       JOIN communication c ON c.channel_account_id = a.id AND c.external_message_id = 'CA77' AND c.type = 'CALL_LOG' WHERE a.organization_id = '${server.organizationId}'`,
    )
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n')
    expect(plan).toContain('communication_channel_account_id_external_message_id_key')
    expect(plan).not.toContain('Seq Scan on communication')
  } finally {
    await client.query('ROLLBACK')
    client.release()
  }
})
