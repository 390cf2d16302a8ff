import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ChannelAdapter, Outgoing, OutgoingFile, OutgoingTemplate } from '../../src/channels/channel.ts'
import { createTwilioChannels } from '../../src/channels/twilio/channels.ts'
import type { TwilioCredentials } from '../../src/channels/twilio/credentials.ts'
import { startFakeTwilio } from '../support/fake-twilio.ts'
import { outgoingMessage } from '../support/outgoing.ts'
import { type Prism, startPrism } from '../support/prism.ts'

const SPECIFICATION = '../shared/contracts/openapi/twilio_api_v2010.messages.json'
const CONTENT_SPECIFICATION = '../shared/contracts/openapi/twilio_content_v1.json'
const present = existsSync(SPECIFICATION) && existsSync(CONTENT_SPECIFICATION)
if (!present) console.warn(`${SPECIFICATION} is not here: sends are not tested against Twilio's API description`)

const credentials: TwilioCredentials = { accountSid: `AC${'a'.repeat(32)}`, authToken: 'token' }

const outgoing = (changes: Partial<Outgoing> = {}) =>
  outgoingMessage({
    statusCallbackUrl: 'https://inbox.test/webhooks/twilio/demo/status?communicationId=0198c2a0-0000-7000-8000-000000000001',
    ...changes,
  })

const file = (filename: string): OutgoingFile => ({
  filename,
  contentType: 'image/png',
  size: 3,
  media: 'IMAGE',
  url: `https://inbox.test/${filename}`,
  read: async () => Buffer.from('png'),
})
const template = (id: string): OutgoingTemplate => ({ id, name: 'ready', language: 'en', variables: { '1': 'Ada' }, components: null })

describe.runIf(present)('Twilio’s own API description', () => {
  let folder: string
  const started: Prism[] = []
  let channels: ChannelAdapter<TwilioCredentials>[]
  let contentChannels: ChannelAdapter<TwilioCredentials>[]

  const channelsAt = async (specification: string) => {
    const prism = await startPrism(specification)
    started.push(prism)
    return createTwilioChannels({ apiUrl: prism.url, timeoutMs: 15_000 })
  }
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'parley-prism-'))
    ;[channels, contentChannels] = await Promise.all([channelsAt(readableByPrism(folder)), channelsAt(CONTENT_SPECIFICATION)])
  })
  afterAll(async () => {
    for (const prism of started) await prism.stop()
    rmSync(folder, { recursive: true })
  })

  test('the Content templates are asked for as described, and its examples are understood', async () => {
    const whatsapp = contentChannels.find(({ channel }) => channel === 'WHATSAPP')
    const { contents } = JSON.parse(readFileSync(CONTENT_SPECIFICATION, 'utf8')).paths['/v1/ContentAndApprovals'].get.responses['200']
      .content['application/json'].examples.readResults.value
    // Prism answers with the first example, which lists nothing: the others are read below.
    expect(await whatsapp?.listTemplates?.({ address: '+15005550006' }, credentials)).toEqual([])
    const fake = await startFakeTwilio()
    try {
      fake.contents = contents
      const [real] = createTwilioChannels({ apiUrl: fake.url, timeoutMs: 5000 }).filter(({ channel }) => channel === 'WHATSAPP')
      expect(await real?.listTemplates?.({ address: '+15005550006' }, fake.credentials)).toMatchObject([
        { status: 'PENDING', body: 'Foo Bar Co is located at 39.7392, 104.9903', language: 'en', name: 'Some content' },
        { status: 'APPROVED', body: expect.stringMatching(/^\{\{1\}\}, Congratulations \{\{2\}\}!/), statusReason: null },
        {
          status: 'REJECTED',
          body: expect.stringMatching(/highlights\/\{\{3\}\}$/),
          statusReason: expect.stringContaining('INVALID_FORMAT'),
        },
      ])
    } finally {
      await fake.close()
    }
  })

  const accepted: [string, Partial<Outgoing>, Partial<TwilioCredentials>][] = [
    ['a text', {}, {}],
    ['media', { body: '', files: [file('a.png'), file('b.png')] }, {}],
    ['an approved template', { template: template(`HX${'b'.repeat(32)}`) }, {}],
    ['a messaging service', {}, { messagingServiceSid: `MG${'c'.repeat(32)}` }],
  ]
  describe.each(['SMS', 'WHATSAPP', 'RCS'] as const)('%s', (channel) => {
    test.each(accepted)('accepts %s', async (_name, message, more) => {
      const adapter = channels.find((each) => each.channel === channel)
      expect(await adapter?.send(outgoing({ channel, ...message }), { ...credentials, ...more })).toEqual({
        externalMessageId: expect.stringMatching(/^SM/),
      })
    })
  })

  const refused: [string, Partial<Outgoing>, Partial<TwilioCredentials>][] = [
    ['a messaging service that is none', {}, { messagingServiceSid: 'MGbad' }],
    ['an account that is none', {}, { accountSid: 'ACbad' }],
    ['a template that is none', { template: template('HXbad') }, {}],
  ]
  test.each(refused)('refuses %s', async (_name, message, more) => {
    await expect(channels[0]?.send(outgoing(message), { ...credentials, ...more })).rejects.toMatchObject({
      name: 'Rejected',
      code: 'HTTP 422',
    })
  })
})

/** Prism takes a repeated form field for an array only where the description spells out OpenAPI's own default encoding. */
function readableByPrism(folder: string): string {
  const description = JSON.parse(readFileSync(SPECIFICATION, 'utf8'))
  const create = description.paths['/2010-04-01/Accounts/{AccountSid}/Messages.json'].post
  create.requestBody.content['application/x-www-form-urlencoded'].encoding = { MediaUrl: { style: 'form', explode: true } }
  const path = join(folder, 'twilio.json')
  writeFileSync(path, JSON.stringify(description))
  return path
}
