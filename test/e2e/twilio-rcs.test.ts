import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { globalId } from '../../schema/global-id.ts'
import { eventually } from '../support/eventually.ts'
import { dataOf } from '../support/result.ts'
import { type ConnectedAccount, connect, newPhone, startTwilioInbox, type TwilioInbox } from '../support/twilio-inbox.ts'

const SERVICE = `MG${'a'.repeat(32)}`

let inbox: TwilioInbox
let rcs: ConnectedAccount
beforeAll(async () => {
  inbox = await startTwilioInbox()
  rcs = await connect(inbox.app, {
    channel: 'RCS',
    name: 'RCS',
    address: 'rcs:acme_agent',
    credentials: { twilio: { ...inbox.fake.credentials, messagingServiceSid: SERVICE } },
  })
})
afterAll(() => inbox?.close())

const db = () => inbox.app.deps.db
const communications = (from: string) =>
  db().communication.findMany({ where: { customer: { identities: { some: { value: from } } } }, orderBy: { id: 'asc' } })

async function sentTo(phone: string, text: string): Promise<{ id: string; sid: string }> {
  const id = await inbox.send({ to: { address: phone }, channelAccountId: rcs.id, content: { text } })
  const { externalMessageId } = await eventually(async () => {
    const row = await inbox.row(id)
    expect(row.deliveryStatus).toBe('SENT')
    return row
  })
  if (externalMessageId === null) throw new Error('no id')
  return { id, sid: externalMessageId }
}

describe('RCS through Twilio', () => {
  test('what a customer writes arrives at the sender’s account, for the person of that number', async () => {
    const phone = newPhone()
    expect((await inbox.inbound(inbox.sms, phone, 'by SMS')).status).toBe(200)
    const answer = await inbox.inbound(rcs, `rcs:${phone}`, 'by RCS', { MessagingServiceSid: SERVICE })
    expect(answer.status).toBe(200)
    const rows = await communications(phone)
    expect(rows.map(({ type, body, channelAccountId }) => [type, body, channelAccountId])).toEqual([
      ['SMS', 'by SMS', inbox.sms.rowId],
      ['RCS', 'by RCS', rcs.rowId],
    ])
    expect(new Set(rows.map(({ customerId }) => customerId)).size).toBe(1)
    // The service's one address for all that it receives does as well.
    const elsewhere = { ...rcs, webhookUrl: inbox.sms.webhookUrl }
    expect((await inbox.inbound(elsewhere, `rcs:${phone}`, 'at the address of SMS')).status).toBe(200)
    expect((await communications(phone)).at(-1)).toMatchObject({ type: 'RCS', body: 'at the address of SMS' })
  })

  test('a chosen suggestion is a button’s reply', async () => {
    const phone = newPhone()
    await inbox.inbound(rcs, `rcs:${phone}`, 'Yes', { ButtonText: 'Yes', ButtonPayload: 'yes-1' })
    expect((await communications(phone))[0]).toMatchObject({
      body: 'Yes',
      content: { kind: 'INTERACTIVE_REPLY', reply: 'BUTTON', id: 'yes-1', title: 'Yes' },
    })
  })

  test('goes out by the service to the plain number, and is read', async () => {
    const phone = newPhone()
    const long = 'x'.repeat(3072)
    const { id, sid } = await sentTo(phone, long)
    expect(inbox.fake.messages.at(-1)?.params).toMatchObject({ To: phone, MessagingServiceSid: SERVICE, Body: long })
    const byRcs = { From: 'rcs:acme_agent', To: `rcs:${phone}` }
    expect(await inbox.fake.callback(sid, 'delivered', byRcs)).toEqual([200])
    expect(await inbox.fake.callback(sid, 'read', byRcs)).toEqual([200])
    expect(await inbox.row(id)).toMatchObject({ deliveryStatus: 'READ', carriedBy: null })
  })

  test('says that an SMS carried it, where Twilio fell back, also from a number that is an account of its own', async () => {
    for (const from of ['+15550001111', inbox.sms.address]) {
      const phone = newPhone()
      const { id, sid } = await sentTo(phone, 'No RCS there')
      expect(await inbox.fake.callback(sid, 'delivered', { From: from, To: phone })).toEqual([200])
      expect(await inbox.row(id)).toMatchObject({ type: 'RCS', deliveryStatus: 'DELIVERED', carriedBy: 'SMS' })
      const query = 'query ($id: ID!) { node(id: $id) { ... on Communication { type carriedBy deliveryStatus } } }'
      expect(dataOf(await inbox.app.request(query, { id: globalId('Communication', id) }))).toEqual({
        node: { type: 'RCS', carriedBy: 'SMS', deliveryStatus: 'DELIVERED' },
      })
    }
  })

  test('a service without an RCS sender is explained', async () => {
    inbox.fake.next({ status: 400, code: 21667 })
    const id = await inbox.send({ to: { address: newPhone() }, channelAccountId: rcs.id, content: { text: 'Hello' } })
    const row = await eventually(async () => {
      const now = await inbox.row(id)
      expect(now.deliveryStatus).toBe('FAILED')
      return now
    })
    expect(row).toMatchObject({ failureCode: '21667', failureMessage: expect.stringContaining('RCS sender') })
  })
})
