import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { createTwilioChannels } from '../../src/channels/twilio/channels.ts'
import { startFakeTwilio } from '../support/fake-twilio.ts'
import { outgoingMessage } from '../support/outgoing.ts'

const fake = await startFakeTwilio()
afterAll(() => fake.close())
beforeEach(() => {
  fake.messages.length = 0
})

const rcs = createTwilioChannels({ apiUrl: fake.url, timeoutMs: 5000 }).find(({ channel }) => channel === 'RCS')

const outgoing = outgoingMessage({
  channel: 'RCS',
  from: 'acme_agent',
})

describe('RCS', () => {
  const callback = `${outgoing.statusCallbackUrl}&channel=rcs`

  test('from a sender alone: by RCS or not at all', async () => {
    await rcs?.send(outgoing, fake.credentials)
    expect(fake.messages[0]?.params).toEqual({
      To: 'rcs:+905551112233',
      From: 'rcs:acme_agent',
      Body: 'Your permit is ready.',
      StatusCallback: callback,
    })
  })
  test('through a messaging service: the plain number, so that Twilio can fall back to SMS', async () => {
    await rcs?.send(outgoing, { ...fake.credentials, messagingServiceSid: 'MG01' })
    expect(fake.messages[0]?.params).toEqual({
      To: '+905551112233',
      MessagingServiceSid: 'MG01',
      Body: 'Your permit is ready.',
      StatusCallback: callback,
    })
  })
  test('a check says what is missing for the fallback', async () => {
    const account = { address: 'acme_agent', webhookUrl: 'https://inbox.test/webhooks/twilio/demo/rcs' }
    expect(await rcs?.check(account, fake.credentials)).toEqual([
      { name: 'credentials', required: true, ok: true, message: null },
      { name: 'fallback', ok: true, message: expect.stringContaining('messagingServiceSid') },
    ])
    expect(await rcs?.check(account, { ...fake.credentials, messagingServiceSid: 'MG01' })).toMatchObject([{}, { message: null }])
    expect(await rcs?.check(account, { ...fake.credentials, authToken: 'another' })).toMatchObject([{ required: true, ok: false }])
  })
})
