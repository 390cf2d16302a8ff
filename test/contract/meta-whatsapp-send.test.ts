import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Outgoing, OutgoingFile } from '../../src/channels/channel.ts'
import { createWhatsapp } from '../../src/channels/meta/whatsapp/whatsapp.ts'
import { type FakeMeta, startFakeMeta } from '../support/fake-meta.ts'
import { outgoingMessage } from '../support/outgoing.ts'

const ERRORS = '../shared/contracts/whatsapp-cloud/errors/pywa.error_objects.json'
const present = existsSync(ERRORS)
if (!present) console.warn(`${ERRORS} is not here: WhatsApp's recorded errors are not tested`)

let meta: FakeMeta
beforeAll(async () => {
  meta = await startFakeMeta()
})
afterAll(() => meta.close())
beforeEach(() => {
  meta.messages.length = 0
  meta.requests.length = 0
})

const adapter = (changes: Partial<FakeMeta['app']> = {}) => createWhatsapp({ ...meta.app, ...changes })
const credentials = () => ({ accessToken: meta.accessToken, phoneNumberId: '106540352242922', businessAccountId: '419561257915477' })

const outgoing = (changes: Partial<Outgoing> = {}) =>
  outgoingMessage({
    channel: 'WHATSAPP',
    from: '+15550783881',
    to: '+16505551234',

    ...changes,
  })

const file = (changes: Partial<OutgoingFile> = {}): OutgoingFile => ({
  filename: 'permit.pdf',
  contentType: 'application/pdf',
  size: 4,
  media: 'DOCUMENT',
  url: 'https://inbox.test/files/1',
  read: async () => Buffer.from('%PDF'),
  ...changes,
})

async function bodyOf(changes: Partial<Outgoing>): Promise<unknown> {
  const { externalMessageId } = await adapter().send(outgoing(changes), credentials())
  const message = meta.messages.at(-1)
  expect(message).toMatchObject({ id: externalMessageId, sender: '106540352242922' })
  return message?.body
}

const around = {
  messaging_product: 'whatsapp',
  recipient_type: 'individual',
  to: '+16505551234',
  biz_opaque_callback_data: '0198c2a0-0000-7000-8000-000000000001',
}

describe('what is sent', () => {
  test('a text goes to the number with the token, and carries our id', async () => {
    expect(await bodyOf({})).toEqual({ ...around, type: 'text', text: { body: 'Your permit is ready.', preview_url: false } })
    expect(meta.requests).toMatchObject([
      { method: 'POST', version: 'v26.0', path: '106540352242922/messages', authorization: `Bearer ${meta.accessToken}`, query: {} },
    ])
    expect(await bodyOf({ body: 'See https://inbox.test' })).toMatchObject({ text: { preview_url: true } })
  })

  test('a person without a number is the recipient by user id', async () => {
    const { to: _to, ...others } = around
    expect(await bodyOf({ to: 'US.13491208655302741918' })).toEqual({
      ...others,
      recipient: 'US.13491208655302741918',
      type: 'text',
      text: { body: 'Your permit is ready.', preview_url: false },
    })
  })

  test('an answer quotes the message that it answers, a reaction names it', async () => {
    expect(await bodyOf({ inReplyTo: 'wamid.1' })).toMatchObject({ context: { message_id: 'wamid.1' } })
    const reaction = (emoji: string | null) =>
      bodyOf({ content: { kind: 'REACTION', emoji, target: 'wamid.1' }, inReplyTo: 'wamid.1', body: '' })
    expect(await reaction('👍')).toEqual({ ...around, type: 'reaction', reaction: { message_id: 'wamid.1', emoji: '👍' } })
    expect(await reaction(null)).toMatchObject({ reaction: { emoji: '' } })
  })

  test('reply buttons and lists', async () => {
    const question = { kind: 'INTERACTIVE', header: 'Permit', footer: 'City', buttons: [{ id: 'y', title: 'Yes' }], list: null } as const
    expect(await bodyOf({ body: 'Shall we?', content: { ...question, buttons: [...question.buttons] } })).toEqual({
      ...around,
      type: 'interactive',
      interactive: {
        type: 'button',
        header: { type: 'text', text: 'Permit' },
        body: { text: 'Shall we?' },
        footer: { text: 'City' },
        action: { buttons: [{ type: 'reply', reply: { id: 'y', title: 'Yes' } }] },
      },
    })
    const rows = [
      { id: 'a', title: 'Monday', description: 'morning' },
      { id: 'b', title: 'Tuesday', description: null },
    ]
    const list = { button: 'Days', sections: [{ title: null, rows }] }
    expect(await bodyOf({ body: 'When?', content: { ...question, header: null, footer: null, buttons: [], list } })).toEqual({
      ...around,
      type: 'interactive',
      interactive: {
        type: 'list',
        body: { text: 'When?' },
        action: { button: 'Days', sections: [{ rows: [rows[0], { id: 'b', title: 'Tuesday' }] }] },
      },
    })
  })

  const document = { caption: 'Here it is', filename: 'permit.pdf' }
  const sent: [OutgoingFile['media'], string, string, string, object][] = [
    ['IMAGE', 'image/png', 'image/png', 'image', { caption: 'Here it is' }],
    ['VIDEO', 'video/mp4', 'video/mp4', 'video', { caption: 'Here it is' }],
    ['DOCUMENT', 'application/pdf', 'application/pdf', 'document', document],
    ['AUDIO', 'audio/opus', 'audio/ogg; codecs=opus', 'audio', {}],
    ['VOICE', 'audio/ogg', 'audio/ogg; codecs=opus', 'audio', { voice: true }],
    ['STICKER', 'image/webp', 'image/webp', 'sticker', {}],
  ]
  test.each(sent)('%s (%s) is uploaded as %s, then sent as %s', async (media, contentType, uploaded, type, more) => {
    const captioned = 'caption' in more
    const body = await bodyOf({
      body: captioned ? 'Here it is' : '',
      content: { kind: 'MEDIA', media, caption: null },
      files: [file({ media, contentType })],
    })
    const [upload] = meta.requests
    expect(upload).toMatchObject({ path: '106540352242922/media', body: { messaging_product: 'whatsapp', type: uploaded } })
    const [id] = [...meta.uploads.keys()].slice(-1)
    expect(meta.uploads.get(id ?? '')).toEqual({ filename: 'permit.pdf', contentType: uploaded, bytes: Buffer.from('%PDF') })
    expect(body).toEqual({ ...around, type, [type]: { id, ...more } })
  })

  test('what WhatsApp would drop is refused', async () => {
    const media = { kind: 'MEDIA', media: 'VOICE', caption: 'hi' } as const
    await expect(
      adapter().send(outgoing({ body: 'hi', content: media, files: [file({ media: 'VOICE' })] }), credentials()),
    ).rejects.toMatchObject({
      name: 'Rejected',
      code: 'CAPTION_NOT_ALLOWED',
    })
    await expect(adapter().send(outgoing({ files: [file(), file()] }), credentials())).rejects.toMatchObject({ code: 'TOO_MANY_FILES' })
    expect(meta.messages).toEqual([])
  })

  test('a read mark', async () => {
    await adapter().markRead?.('wamid.7', credentials())
    expect(meta.read).toEqual(['wamid.7'])
    expect(meta.requests.at(-1)?.body).toEqual({ messaging_product: 'whatsapp', status: 'read', message_id: 'wamid.7' })
  })
})

/** What each recorded error says to a business owner. */
const RECORDED: Record<string, [code: string, explanation: RegExp]> = {
  MediaUploadError: ['131053', /did not take the attachment/],
  ExpiredAccessToken: ['190', /expired or was revoked/],
  ReEngagementMessage: ['131047', /More than 24 hours/],
}

test.runIf(present)('every recorded error is a refusal with a sentence', async () => {
  const errors: Record<string, object> = JSON.parse(readFileSync(ERRORS, 'utf8'))
  expect(Object.keys(errors).toSorted()).toEqual(Object.keys(RECORDED).toSorted())
  for (const [name, error] of Object.entries(errors)) {
    const [code, explanation] = RECORDED[name] ?? []
    meta.next({ status: 400, error: { ...error } })
    await expect(adapter().send(outgoing(), credentials())).rejects.toMatchObject({
      name: 'Rejected',
      code,
      explanation: expect.stringMatching(explanation ?? /$^/),
    })
  }
})

describe('what goes wrong', () => {
  const send = (changes: Partial<FakeMeta['app']> = {}, more: Partial<Outgoing> = {}) =>
    adapter(changes).send(outgoing(more), credentials())
  const failure = (promise: Promise<unknown>): Promise<Error & Record<string, unknown>> =>
    promise.then(
      () => Promise.reject(new Error('nothing went wrong')),
      (error) => error,
    )

  test.each([
    [400, { code: 131047, message: 'Re-engagement message' }, '131047', /24 hours/],
    [400, { code: 131026, message: 'Message undeliverable' }, '131026', /no WhatsApp/],
    [401, { code: 190, error_subcode: 463, message: 'Session has expired' }, '190', /new one/],
    [400, { code: 132000, message: 'Number of parameters does not match' }, '132000', /placeholders/],
    [400, { code: 130472, message: 'Experiment' }, '130472', /experiment/],
    [400, { code: 131049, message: 'Healthy ecosystem' }, '131049', /marketing/],
    [400, { code: 99999, message: 'Strange', error_data: { details: 'It is strange.' } }, '99999', /99999.*It is strange\./],
    [400, { code: 100, message: 'Invalid parameter', error_data: { details: 'body too long' } }, '100', /body too long/],
  ])('HTTP %i with %j is final', async (status, error, code, explanation) => {
    meta.next({ status, error })
    expect(await failure(send())).toMatchObject({
      name: 'Rejected',
      code,
      explanation: expect.stringMatching(explanation),
      recipientOptedOut: false,
    })
  })

  test('who has stopped marketing has opted out', async () => {
    meta.next({ status: 400, error: { code: 131050, message: 'User has stopped marketing messages' } })
    expect(await failure(send())).toMatchObject({ name: 'Rejected', code: '131050', recipientOptedOut: true, optedOutOf: ['MARKETING'] })
  })

  test.each([
    [429, undefined],
    [503, undefined],
    [400, { code: 4, message: 'Application request limit reached' }],
    [400, { code: 80007, message: 'Rate limit issues' }],
    [400, { code: 130429, message: 'Rate limit hit' }],
    [400, { code: 131056, message: 'Pair rate limit hit' }],
  ])('HTTP %i with %j is for later', async (status, error) => {
    meta.next({ status, ...(error !== undefined && { error }), retryAfter: 7 })
    expect(await failure(send())).toMatchObject({ name: 'Unavailable', retryAfterMs: 7000 })
  })

  test('nobody there is for later', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as { port: number }
    await new Promise((resolve) => server.close(resolve))
    expect(await failure(send({ graphUrl: `http://127.0.0.1:${port}` }))).toMatchObject({ name: 'Unavailable' })
  })

  test('no answer leaves it uncertain', async () => {
    meta.next(
      { drop: 'after' },
      { drop: 'before' },
      { status: 500, error: { code: 131000 } },
      { status: 502 },
      { unreadable: '<html>' },
      { unreadable: '{}' },
    )
    for (let time = 0; time < 6; time++) expect(await failure(send())).toMatchObject({ name: 'Uncertain' })
    let answer = () => {}
    meta.next({
      beforeAnswering: new Promise<void>((resolve) => {
        answer = resolve
      }),
    })
    expect(await failure(send({ timeoutMs: 50 }))).toMatchObject({ name: 'Uncertain' })
    answer()
  })

  test('a file that could not be uploaded was not sent, whatever happened', async () => {
    for (const behaviour of [{ drop: 'after' }, { status: 500 }, { unreadable: '<html>' }, { unreadable: '{}' }] as const) {
      meta.next(behaviour)
      expect(await failure(send({}, { files: [file()] }))).toMatchObject({ name: 'Unavailable' })
    }
    expect(meta.messages).toEqual([])
  })

  test('a redirect is not followed', async () => {
    const other = await startFakeMeta()
    meta.next({ redirectTo: `${other.url}/v26.0/106540352242922/messages` })
    expect(await failure(send())).toMatchObject({ name: 'Rejected', code: 'HTTP 307' })
    expect(other.requests).toEqual([])
    await other.close()
  })

  test('no error says the token', async () => {
    meta.next({ status: 400, error: { code: 12345, message: `Malformed access token ${meta.accessToken}` } })
    const error = await failure(send())
    expect(`${error.message} ${error.explanation} ${error.stack}`).not.toContain(meta.accessToken)
    const broken = await failure(adapter().send(outgoing(), { ...credentials(), accessToken: 'secret\ntoken' }))
    expect(broken).toMatchObject({ name: 'Rejected', code: '190' })
    expect(`${broken.message} ${broken.stack}`).not.toContain('secret')
  })
})
