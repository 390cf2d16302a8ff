import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { globalId } from '../../schema/global-id.ts'
import { CustomerTimelineDocument, SendabilityDocument } from '../generated/graphql.ts'
import { eventually } from '../support/eventually.ts'
import { rowCounts, settledRowCounts } from '../support/row-counts.ts'
import { runNow } from '../support/send-jobs.ts'
import { type ConnectedAccount, newPhone, startTwilioInbox, type TwilioInbox } from '../support/twilio-inbox.ts'

let inbox: TwilioInbox

beforeAll(async () => {
  inbox = await startTwilioInbox()
})
afterAll(() => inbox.close())

/** A customer who has just written `body`. */
async function customer(body: string, params: Record<string, string> = {}, account: ConnectedAccount = inbox.sms) {
  const phone = newPhone()
  const from = account.channel === 'WHATSAPP' ? `whatsapp:${phone}` : phone
  const say = async (text: string, more: Record<string, string> = {}) => {
    const { status, messageSid } = await inbox.inbound(account, from, text, more)
    expect(status).toBe(200)
    return inbox.app.deps.db.communication.findFirstOrThrow({ where: { externalMessageId: messageSid } })
  }
  const { customerId } = await say(body, params)
  const id = globalId('Customer', customerId)
  return {
    phone,
    customerId,
    say,
    answer: (by: ConnectedAccount = account) =>
      inbox.trySend({ to: { customerId: id }, channelAccountId: by.id, content: { text: 'An answer' } }),
    async timeline() {
      const { data } = await inbox.app.request(CustomerTimelineDocument, { id })
      return (data?.customer?.timeline.nodes ?? []).map(({ type }) => type).filter((type) => type.startsWith('CUSTOMER_OPTED'))
    },
    async sendability(by: ConnectedAccount = account) {
      const { data } = await inbox.app.request(SendabilityDocument, { customerId: id })
      return data?.customer?.sendability.find(({ channelAccount }) => channelAccount?.id === by.id)
    },
  }
}

describe('STOP', () => {
  test.each(['STOP', 'stop', '  Stop \n', 'STOPALL', 'unsubscribe', 'Cancel', 'END', 'quit', 'REVOKE', 'optout'])(
    '%j as the whole message opts out, and is an event of the timeline',
    async (word) => {
      const person = await customer(word)
      expect(await person.timeline()).toEqual(['CUSTOMER_OPTED_OUT'])
      expect((await person.answer()).__typename).toBe('RecipientOptedOutError')
    },
  )

  test.each(['Please stop calling', 'stop.', 'STOP it', 'the bus stop', 'Cancel my order', 'do not quit', '', 'S T O P'])(
    '%j does not: a word inside a sentence is no keyword',
    async (text) => {
      const person = await customer(text)
      expect(await person.timeline()).toEqual([])
      expect((await person.answer()).__typename).toBe('SendMessageSuccess')
    },
  )

  test('OptOutType is authoritative, over our own keywords in both directions', async () => {
    expect(await (await customer('Lass mich in Ruhe', { OptOutType: 'STOP' })).timeline()).toEqual(['CUSTOMER_OPTED_OUT'])
    expect(await (await customer('STOP', { OptOutType: 'HELP' })).timeline()).toEqual([])
    const back = await customer('STOP')
    await back.say('Hallo wieder', { OptOutType: 'START' })
    expect(await back.timeline()).toEqual(['CUSTOMER_OPTED_IN', 'CUSTOMER_OPTED_OUT'])
  })

  test('is refused before anything is queued, and leaves nothing behind', async () => {
    const person = await customer('STOP')
    const before = await settledRowCounts(inbox.app.deps.pool)
    const requests = inbox.fake.requests.length
    expect(await person.answer()).toMatchObject({
      __typename: 'RecipientOptedOutError',
      code: 'RECIPIENT_OPTED_OUT',
      path: ['input', 'to'],
    })
    const byAddress = await inbox.trySend({ to: { address: person.phone }, channelAccountId: inbox.sms.id, content: { text: 'An answer' } })
    expect(byAddress.__typename).toBe('RecipientOptedOutError')
    const inHour = new Date(Date.now() + 3_600_000).toISOString()
    const later = await inbox.trySend({
      to: { address: person.phone },
      channelAccountId: inbox.sms.id,
      content: { text: 'An answer' },
      sendAt: inHour,
    })
    expect(later.__typename).toBe('RecipientOptedOutError')
    expect(await rowCounts(inbox.app.deps.pool)).toEqual(before)
    expect(inbox.fake.requests).toHaveLength(requests)
    expect(await person.sendability()).toMatchObject({ canSend: false, reason: 'OPTED_OUT' })
  })

  test('twice is one opt-out and one event', async () => {
    const person = await customer('STOP')
    await person.say('Stop')
    expect(await person.timeline()).toEqual(['CUSTOMER_OPTED_OUT'])
    const entries = await inbox.app.deps.db.consentEntry.findMany({ where: { customerId: person.customerId } })
    expect(new Set(entries.map(({ channel, state, source }) => `${channel} ${state} ${source}`))).toEqual(
      new Set(['SMS OPTED_OUT KEYWORD']),
    )
  })

  test('by SMS leaves WhatsApp as it is, and the other way round', async () => {
    const person = await customer('STOP')
    await inbox.inbound(inbox.whatsapp, `whatsapp:${person.phone}`, 'Hello')
    expect((await person.answer(inbox.sms)).__typename).toBe('RecipientOptedOutError')
    expect((await person.answer(inbox.whatsapp)).__typename).toBe('SendMessageSuccess')
    await inbox.inbound(inbox.sms, person.phone, 'START')
    await inbox.inbound(inbox.whatsapp, `whatsapp:${person.phone}`, 'STOP')
    expect((await person.answer(inbox.sms)).__typename).toBe('SendMessageSuccess')
    expect((await person.answer(inbox.whatsapp)).__typename).toBe('RecipientOptedOutError')
  })

  test('of one customer is not another’s', async () => {
    await customer('STOP')
    expect((await (await customer('Hello')).answer()).__typename).toBe('SendMessageSuccess')
  })
})

describe('START', () => {
  test.each(['START', ' start ', 'Unstop', 'YES'])('%j allows messages again', async (word) => {
    const person = await customer('STOP')
    await person.say(word)
    expect(await person.timeline()).toEqual(['CUSTOMER_OPTED_IN', 'CUSTOMER_OPTED_OUT'])
    expect((await person.answer()).__typename).toBe('SendMessageSuccess')
    expect(await person.sendability()).toMatchObject({ canSend: true, reason: null })
  })

  test('without a STOP is no event', async () => {
    expect(await (await customer('YES')).timeline()).toEqual([])
  })
})

test('a scheduled message whose customer opted out meanwhile FAILS at sending time, unsent', async () => {
  const person = await customer('Hello')
  const sendAt = new Date(Date.now() + 3_600_000).toISOString()
  const id = await inbox.send({ to: { address: person.phone }, channelAccountId: inbox.sms.id, content: { text: 'Late' }, sendAt })
  expect((await inbox.row(id)).deliveryStatus).toBe('SCHEDULED')
  await person.say('STOP')
  expect(await runNow(inbox.app.deps.pool, id)).toBe(1)
  await eventually(async () =>
    expect(await inbox.row(id)).toMatchObject({
      deliveryStatus: 'FAILED',
      failureCode: 'RECIPIENT_OPTED_OUT',
      failureMessage: expect.stringMatching(/opted out/),
      externalMessageId: null,
      sentAt: null,
    }),
  )
  expect(inbox.fake.messages.filter(({ params }) => params.To === person.phone)).toEqual([])
})
