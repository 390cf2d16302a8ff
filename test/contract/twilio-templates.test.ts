import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import type { ChannelAdapter, ProviderTemplate } from '../../src/channels/channel.ts'
import { createTwilioChannels } from '../../src/channels/twilio/channels.ts'
import type { TwilioCredentials } from '../../src/channels/twilio/credentials.ts'
import { startFakeTwilio } from '../support/fake-twilio.ts'

const fake = await startFakeTwilio()
afterAll(() => fake.close())
beforeEach(() => {
  fake.contents = []
  fake.requests.length = 0
})

const account = { address: '+15005550006' }
const channels = createTwilioChannels({ apiUrl: fake.url, timeoutMs: 5000 })
const listed = async (channel: string, credentials: TwilioCredentials = fake.credentials): Promise<ProviderTemplate[]> => {
  const adapter = channels.find((each) => each.channel === channel) as ChannelAdapter<TwilioCredentials>
  return (await adapter.listTemplates?.(account, credentials)) ?? []
}

const content = (sid: string, types: object, approval: object = { status: 'approved', category: 'UTILITY', rejection_reason: '' }) => ({
  sid: `HX${sid.padEnd(32, '0')}`,
  friendly_name: `template ${sid}`,
  language: 'en',
  variables: { 1: 'a sample' },
  types,
  approval_requests: approval,
})
const textType = { 'twilio/text': { body: 'Hello {{1}}' } }

describe('the Content templates of a Twilio account', () => {
  test('are read page by page, with what WhatsApp says of them', async () => {
    fake.contents = [
      content('1', textType),
      content('2', textType, { status: 'rejected', category: 'MARKETING', rejection_reason: 'INVALID_FORMAT' }),
      content('3', textType, { status: 'received', category: 'utility' }),
      content('4', textType, { status: 'unsubmitted', category: '', rejection_reason: '' }),
      content('5', textType, { status: 'paused' }),
      content('6', textType, { status: 'disabled' }),
    ]
    const templates = await listed('WHATSAPP')
    expect(templates.map(({ status, category }) => [status, category])).toEqual([
      ['APPROVED', 'UTILITY'],
      ['REJECTED', 'MARKETING'],
      ['PENDING', 'UTILITY'],
      ['PENDING', null],
      ['PAUSED', null],
      ['DISABLED', null],
    ])
    expect(templates[0]).toEqual({
      providerTemplateId: `HX1${'0'.repeat(31)}`,
      name: 'template 1',
      language: 'en',
      status: 'APPROVED',
      statusReason: null,
      category: 'UTILITY',
      quality: null,
      body: 'Hello {{1}}',
      components: { types: textType, variables: { 1: 'a sample' } },
    })
    expect(templates[1]?.statusReason).toBe('INVALID_FORMAT')
    expect(templates[3]?.statusReason).toContain('submit it for approval')
    expect(fake.requests.map(({ path }) => path)).toEqual(Array(3).fill('/v1/ContentAndApprovals'))
  })

  test('need nobody’s approval on RCS, and are none of SMS', async () => {
    fake.contents = [content('1', textType, { status: 'unsubmitted' })]
    expect(await listed('RCS')).toMatchObject([{ status: 'APPROVED', statusReason: null, category: null }])
    expect(await listed('SMS')).toEqual([])
  })

  test('show every variable once, also those of pictures and buttons', async () => {
    fake.contents = [
      content('1', {
        'twilio/media': { body: 'Hi {{1}}', media: ['https://example.com/{{2}}.jpg', 'https://example.com/fixed.jpg'] },
        'twilio/text': { body: 'Hi {{1}}, without the picture' },
      }),
      content('2', {
        'twilio/card': { title: 'Order {{1}}', actions: [{ type: 'URL', url: 'https://example.com/{{1}}/{{track}}', title: 'Look' }] },
      }),
      content('3', { 'twilio/location': { latitude: 1, longitude: 2 } }),
    ]
    expect((await listed('WHATSAPP')).map(({ body }) => body)).toEqual([
      'Hi {{1}}\nhttps://example.com/{{2}}.jpg',
      'Order {{1}}\nhttps://example.com/{{1}}/{{track}}',
      '',
    ])
  })

  test('wrong credentials are a refusal; an outage is tried again', async () => {
    await expect(listed('WHATSAPP', { ...fake.credentials, authToken: 'another' })).rejects.toMatchObject({
      name: 'Rejected',
      code: '20003',
    })
    const [, whatsapp] = createTwilioChannels({ apiUrl: 'http://127.0.0.1:1', timeoutMs: 500 })
    await expect(whatsapp?.listTemplates?.(account, fake.credentials)).rejects.toMatchObject({ name: 'Unavailable' })
  })
})
