import { afterAll, beforeAll, expect, test } from 'vitest'
import { applyRevoke } from '../../src/domain/apply-edit.ts'
import { fetchAttachment } from '../../src/domain/fetch-attachment.ts'
import { eventually } from '../support/eventually.ts'
import { present } from '../support/result.ts'
import { newPhone, startTwilioInbox, type TwilioInbox } from '../support/twilio-inbox.ts'

let inbox: TwilioInbox
beforeAll(async () => {
  inbox = await startTwilioInbox()
})
afterAll(() => inbox?.close())

const attachments = () => inbox.app.deps.db.attachment
const receive = (url: string, contentType: string) =>
  inbox.inbound(inbox.sms, newPhone(), '', { NumMedia: '1', MediaUrl0: url, MediaContentType0: contentType })
const fetched = (url: string) =>
  eventually(async () => {
    const attachment = await attachments().findFirstOrThrow({ where: { sourceUrl: url } })
    expect(attachment.status).toBe('STORED')
    return attachment
  })

test.each([
  ['a page that is called a picture', '<html><script>alert(1)</script>', 'image/png', 'image/png', 'text/html'],
  ['a file of which the server says nothing', 'a;b', 'text/csv', 'application/octet-stream', 'text/csv'],
  ['a file of which the webhook was wrong', 'a;b', 'image/png', 'text/csv', 'text/csv'],
])('%s is stored as what it is', async (_name, body, announced, served, stored) => {
  const url = inbox.fake.media({ bytes: Buffer.from(body), contentType: served })
  await receive(url, announced)
  expect(await fetched(url)).toMatchObject({ contentType: stored, size: body.length, failure: null })
})

test('a message that goes while its file is on the way leaves no bytes behind', async () => {
  const url = inbox.fake.media({ bytes: Buffer.from('one'), contentType: 'text/plain' })
  await receive(url, 'text/plain')
  const { id } = await fetched(url)
  await attachments().update({ where: { id }, data: { status: 'PENDING', storageKey: null } })
  const { storage } = inbox.app.deps
  const keys: string[] = []
  const watched = {
    ...inbox.app.deps,
    storage: {
      ...storage,
      async put(key: string, body: Buffer) {
        keys.push(key)
        await storage.put(key, body)
        await attachments().delete({ where: { id } })
      },
    },
  }
  await fetchAttachment(watched, id, false)
  await expect(storage.get(present(keys[0])).toArray()).rejects.toMatchObject({ code: 'ENOENT' })
})

test('a message that is taken back takes the bytes of its files with it', async () => {
  const url = inbox.fake.media({ bytes: Buffer.from('one'), contentType: 'text/plain' })
  await receive(url, 'text/plain')
  const { id, storageKey, communicationId } = await fetched(url)
  const { db, storage } = inbox.app.deps
  const { organizationId, channelAccountId, externalMessageId } = await db.communication.findUniqueOrThrow({
    where: { id: present(communicationId) },
  })
  const fact = { kind: 'revoke', externalMessageId: present(externalMessageId), at: new Date() } as const
  const account = { id: present(channelAccountId), organizationId }
  expect(await applyRevoke(inbox.app.deps, account, fact)).toEqual({ outcome: 'applied' })
  expect(await attachments().findUnique({ where: { id } })).toBeNull()
  await eventually(async () => {
    await expect(storage.get(present(storageKey)).toArray()).rejects.toMatchObject({ code: 'ENOENT' })
  })
})
