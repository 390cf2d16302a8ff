import { existsSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Outgoing, OutgoingFile } from '../../src/channels/channel.ts'
import { createWhatsapp } from '../../src/channels/meta/whatsapp/whatsapp.ts'
import { outgoingMessage } from '../support/outgoing.ts'
import { type Prism, startPrism } from '../support/prism.ts'

const FOLDER = '../shared/contracts/openapi'
const present = existsSync(FOLDER)
if (!present) console.warn(`${FOLDER} is not here: sends are not tested against WhatsApp's API description`)

const credentials = { accessToken: 'EAAtoken', phoneNumberId: '106540352242922', businessAccountId: '419561257915477' }

const adapterAt = (graphUrl: string) =>
  createWhatsapp({ appId: null, appSecret: null, verifyToken: null, graphUrl, version: 'v23.0', timeoutMs: 15_000 })

const outgoing = (changes: Partial<Outgoing> = {}) =>
  outgoingMessage({
    channel: 'WHATSAPP',
    from: '+15550783881',
    to: '+16505551234',

    ...changes,
  })

const media = (kind: OutgoingFile['media'], contentType: string): Partial<Outgoing> => ({
  body: kind === 'IMAGE' ? 'A caption' : '',
  content: { kind: 'MEDIA', media: kind, caption: null },
  files: [{ filename: 'file', contentType, size: 3, media: kind, url: 'https://inbox.test/file', read: async () => Buffer.from('abc') }],
})

const question = { kind: 'INTERACTIVE', header: 'Permit', footer: 'City', buttons: [], list: null } as const
const rows = [{ id: 'a', title: 'Monday', description: 'morning' }]
const components = [
  { type: 'HEADER', format: 'TEXT', text: 'Order {{1}}' },
  { type: 'BODY', text: 'Dear {{1}}' },
  { type: 'BUTTONS', buttons: [{ type: 'URL', text: 'Track', url: 'https://shop.test/{{1}}' }] },
]
const variables = { header_1: '42', 1: 'Ada', button_1: '42' }

const messages: [string, Partial<Outgoing>][] = [
  ['a text', {}],
  ['a text with a link', { body: 'https://inbox.test' }],
  ['a quoted reply', { inReplyTo: 'wamid.1' }],
  ['a person without a number', { to: 'US.13491208655302741918' }],
  ['an image', media('IMAGE', 'image/png')],
  ['a voice message', media('VOICE', 'audio/ogg')],
  ['a video', media('VIDEO', 'video/mp4')],
  ['a document', media('DOCUMENT', 'application/pdf')],
  ['a sticker', media('STICKER', 'image/webp')],
  ['reply buttons', { content: { ...question, buttons: [{ id: 'y', title: 'Yes' }] } }],
  ['a list', { content: { ...question, buttons: [], list: { button: 'Days', sections: [{ title: 'This week', rows }] } } }],
  ['a reaction', { content: { kind: 'REACTION', emoji: '👍', target: 'wamid.1' } }],
  ['a template', { template: { id: '1', name: 'order', language: 'en_US', variables, components } }],
]

describe.runIf(present)('WhatsApp’s own description of messages', () => {
  let prism: Prism
  beforeAll(async () => {
    prism = await startPrism(`${FOLDER}/whatsapp_cloud_v23.messages.lenient.json`)
  })
  afterAll(() => prism?.stop())

  test.each(messages)('accepts %s', async (_name, changes) => {
    expect(await adapterAt(prism.url).send(outgoing(changes), credentials)).toEqual({ externalMessageId: expect.stringMatching(/./) })
  })

  test('accepts a read mark', async () => {
    await expect(adapterAt(prism.url).markRead?.('wamid.1', credentials)).resolves.toBeUndefined()
  })

  test('accepts the questions about templates', async () => {
    expect(Array.isArray(await adapterAt(prism.url).listTemplates?.({ address: '+15550783881' }, credentials))).toBe(true)
  })

  test('refuses a request without a token that can be one', async () => {
    await expect(adapterAt(prism.url).send(outgoing(), { ...credentials, accessToken: '~' })).rejects.toMatchObject({ code: 'HTTP 422' })
  })
})

describe.runIf(present)('WhatsApp’s own description of media', () => {
  let prism: Prism
  beforeAll(async () => {
    prism = await startPrism(`${FOLDER}/whatsapp_cloud_v23.media.json`)
  })
  afterAll(() => prism?.stop())

  test('accepts the question where a file is', async () => {
    // The description's example has no real address: that it is refused shows that the question was answered.
    await expect(adapterAt(prism.url).fetchMedia(`${prism.url}/v23.0/1003383421387256`, credentials, 1_000_000)).rejects.toMatchObject({
      name: 'Rejected',
      code: 'FOREIGN_MEDIA',
    })
  })
})
