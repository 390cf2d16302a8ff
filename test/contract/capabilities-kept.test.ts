import { afterAll, beforeAll, expect, test } from 'vitest'
import type { AnyChannelAdapter, Outgoing, OutgoingFile } from '../../src/channels/channel.ts'
import type { Content, MediaKind } from '../../src/channels/content.ts'
import { createChannels } from '../../src/channels/registry.ts'
import { loadConfig } from '../../src/config.ts'
import { checkLimits, type Draft } from '../../src/domain/content-limits.ts'
import { UserError } from '../../src/domain/errors.ts'
import { type FakeMeta, startFakeMeta } from '../support/fake-meta.ts'
import { type FakeSendgrid, startFakeSendgrid } from '../support/fake-sendgrid.ts'
import { type FakeTwilio, startFakeTwilio } from '../support/fake-twilio.ts'
import { outgoingMessage } from '../support/outgoing.ts'

let meta: FakeMeta
let twilio: FakeTwilio
let sendgrid: FakeSendgrid
let adapters: readonly AnyChannelAdapter[]

beforeAll(async () => {
  ;[meta, twilio, sendgrid] = await Promise.all([startFakeMeta(), startFakeTwilio(), startFakeSendgrid()])
  adapters = createChannels({
    ...loadConfig({ AUTH_JWT_SECRET: 'x'.repeat(32), ENCRYPTION_KEY: Buffer.alloc(32).toString('base64') }),
    META_GRAPH_URL: meta.url,
    TWILIO_API_URL: twilio.url,
    SENDGRID_API_URL: sendgrid.url,
    PROVIDER_TIMEOUT_SECONDS: 5,
  }).all
})
afterAll(() => Promise.all([meta?.close(), twilio?.close(), sendgrid?.close()]))

const credentialsOf = ({ provider, channel }: AnyChannelAdapter): unknown => {
  const { accessToken } = meta
  if (provider === 'TWILIO') return twilio.credentials
  if (provider === 'SENDGRID') return { apiKey: sendgrid.apiKey, inboundSecret: 'a-secret-of-many-letters' }
  if (provider === 'SANDBOX') return { authToken: 'token' }
  if (provider === 'PARLEY') return {}
  if (channel === 'MESSENGER') return { pageAccessToken: accessToken, pageId: '1' }
  return channel === 'INSTAGRAM' ? { accessToken, instagramAccountId: '2' } : { accessToken, phoneNumberId: '3', businessAccountId: '4' }
}

const TYPES: Record<MediaKind, string> = {
  IMAGE: 'image/png',
  AUDIO: 'audio/mpeg',
  VOICE: 'audio/ogg',
  VIDEO: 'video/mp4',
  DOCUMENT: 'application/pdf',
  STICKER: 'image/webp',
}
const KINDS = Object.keys(TYPES) as MediaKind[]
const question: Content & { kind: 'INTERACTIVE' } = { kind: 'INTERACTIVE', header: 'Head', footer: 'Foot', buttons: [], list: null }
const contents: Content[] = [
  { kind: 'TEXT' },
  { kind: 'EMAIL' },
  { kind: 'REACTION', emoji: '👍', target: 'm_1' },
  { kind: 'REACTION', emoji: null, target: 'm_1' },
  { ...question, buttons: [{ id: 'a', title: 'Yes' }] },
  { ...question, list: { button: 'Open', sections: [{ title: null, rows: [{ id: 'a', title: 'A', description: null }] }] } },
]
type Case = { content: Content; body: string; files: { media: MediaKind; contentType: string }[]; quotes: boolean }

/** Files of each kind, of each type that the channel names for it, with and without parameters. */
const filesOf = ({ capabilities }: AnyChannelAdapter): Case['files'] =>
  KINDS.flatMap((media) => {
    const types = capabilities.media[media]?.types ?? []
    return (types.length === 0 ? [TYPES[media]] : types).flatMap((type) =>
      [type, `${type}; charset=utf-8`].map((contentType) => ({ media, contentType })),
    )
  })

const casesOf = (adapter: AnyChannelAdapter): Case[] =>
  [false, true].flatMap((quotes) => [
    ...contents.map((content) => ({ content, body: content.kind === 'REACTION' ? (content.emoji ?? '') : 'Hello', files: [], quotes })),
    ...filesOf(adapter).flatMap((file) =>
      ['', 'Look'].flatMap((body) =>
        [[file], [file, file]].map((files) => {
          const content = { kind: 'MEDIA' as const, media: file.media, caption: body === '' ? null : body }
          return { content, body, files, quotes }
        }),
      ),
    ),
  ])

function isAllowed(adapter: AnyChannelAdapter, { content, body, files, quotes }: Case): boolean {
  const path = ['input', 'content']
  const draft: Draft = { content, body, files: files.map((file) => ({ ...file, size: 3, path })), quotes, atProvider: false, path }
  try {
    checkLimits(adapter.capabilities, draft)
    return true
  } catch (error) {
    if (error instanceof UserError) return false
    throw error
  }
}

function outgoing({ channel }: AnyChannelAdapter, { content, body, files, quotes }: Case): Outgoing {
  const file = (chosen: Case['files'][number]): OutgoingFile => ({
    ...chosen,
    filename: 'file',
    size: 3,
    url: 'https://inbox.test/attachments/1',
    read: async () => Buffer.from('abc'),
  })
  const said = { channel, content, body, files: files.map(file), inReplyTo: quotes ? 'm_1' : null }
  if (channel !== 'EMAIL') return outgoingMessage(said)
  const replyTo = { name: null, address: 'desk@example.org' }
  const email = { fromName: null, html: null, messageId: 'a@example.org', references: [], replyTo, marketing: false }
  return outgoingMessage({ ...said, from: 'desk@example.org', to: 'ada@example.com', subject: 'Hello', email })
}

test('what the policy lets through, the provider takes: for every channel and every kind of message', async () => {
  const broken: string[] = []
  const kept: Record<string, number> = {}
  for (const adapter of adapters) {
    const name = `${adapter.provider} ${adapter.channel}`
    for (const each of casesOf(adapter).filter((one) => isAllowed(adapter, one))) {
      kept[name] = (kept[name] ?? 0) + 1
      await adapter.send(outgoing(adapter, each), credentialsOf(adapter)).catch((error: unknown) => {
        broken.push(`${name}: ${JSON.stringify(each)}: ${String(error)}`)
      })
    }
  }
  expect(broken).toEqual([])
  for (const adapter of adapters) expect(kept[`${adapter.provider} ${adapter.channel}`]).toBeGreaterThan(1)
})
