import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { CommunicationsQueueDocument } from '../generated/graphql.ts'
import { eventually } from '../support/eventually.ts'
import { newPhone, startTwilioInbox, type TwilioInbox } from '../support/twilio-inbox.ts'

const PICTURE = Buffer.from('89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489', 'hex')
const REASON = 'query Reason($id: ID!) { node(id: $id) { ... on Attachment { status failure url size contentType } } }'

let inbox: TwilioInbox
const foreign = { requests: [] as string[], url: '' }
const stranger = createServer((request, response) => {
  foreign.requests.push(`${request.method} ${request.url} ${request.headers.authorization ?? ''}`)
  response.writeHead(200, { 'content-type': 'image/png' }).end(PICTURE)
})

beforeAll(async () => {
  inbox = await startTwilioInbox({ PUBLIC_URL: 'https://inbox.example.com', MAX_ATTACHMENT_BYTES: '1024' })
  await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve))
  foreign.url = `http://127.0.0.1:${(stranger.address() as AddressInfo).port}`
})
afterAll(async () => {
  stranger.close()
  await inbox.close()
})

/** Sends the media in by a webhook; gives the attachments as the graph shows them when none is PENDING any more. */
async function attached(...urls: string[]) {
  const media = Object.fromEntries(
    urls.flatMap((url, index) => [
      [`MediaUrl${index}`, url],
      [`MediaContentType${index}`, 'image/jpeg'],
    ]),
  )
  const sent = await inbox.inbound(inbox.sms, newPhone(), '', { NumMedia: String(urls.length), ...media })
  expect(sent.status).toBe(200)
  return eventually(async () => {
    const { data } = await inbox.app.request(CommunicationsQueueDocument, { first: 100 })
    const node = data?.communications?.nodes.find(({ externalMessageId }) => externalMessageId === sent.messageSid)
    const answers = await Promise.all((node?.attachments ?? []).map(({ id }) => inbox.app.request(REASON, { id })))
    const found = answers.map(({ data }) => (data as { node: Record<string, unknown> }).node)
    expect(found).toHaveLength(urls.length)
    expect(found.map(({ status }) => status)).not.toContain('PENDING')
    return found
  })
}

const requestsFor = (url: string) => inbox.fake.requests.filter(({ path }) => path === new URL(url).pathname)

test('media are fetched with the credentials, in their order, and the attachment’s url serves the bytes', async () => {
  const [picture, text] = [
    inbox.fake.media({ bytes: PICTURE, contentType: 'image/png' }),
    inbox.fake.media({ bytes: Buffer.from('Grüße'), contentType: 'text/plain' }),
  ]
  const [first, second] = await attached(picture, text)
  expect(first).toMatchObject({ status: 'STORED', failure: null, size: PICTURE.length, contentType: 'image/png' })
  expect(second).toMatchObject({ status: 'STORED', failure: null, contentType: 'text/plain' })
  const { accountSid, authToken } = inbox.fake.credentials
  const basic = `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString('base64')}`
  expect(requestsFor(picture)).toMatchObject([{ method: 'GET', authorization: basic }])

  expect(String(first?.url)).toMatch(/^https:\/\/inbox\.example\.com\/attachments\//)
  const served = await fetch(String(first?.url).replace('https://inbox.example.com', inbox.app.url))
  expect({ status: served.status, type: served.headers.get('content-type') }).toEqual({ status: 200, type: 'image/png' })
  expect(Buffer.from(await served.arrayBuffer())).toEqual(PICTURE)
})

test('a redirect is followed without the credentials', async () => {
  const cdn = inbox.fake.cdn({ bytes: PICTURE, contentType: 'image/png' })
  const [file] = await attached(inbox.fake.media({ redirectTo: cdn }))
  expect(file).toMatchObject({ status: 'STORED', size: PICTURE.length })
  expect(requestsFor(cdn)).toEqual([expect.objectContaining({ method: 'GET', authorization: undefined })])
})

test('media on another host are not fetched: FAILED, with a reason, and no request', async () => {
  const lookalike = 'https://api.twilio.com.example.com/2010-04-01/Accounts/AC1/Messages/MM1/Media/ME1'
  const files = await attached(`${foreign.url}/picture.png`, inbox.fake.url.replace('//', '//user:password@'), lookalike, 'www.contoso.com')
  for (const file of files) {
    expect(file).toMatchObject({ status: 'FAILED', url: null, size: null, failure: expect.stringMatching(/not stored at Twilio/) })
  }
  expect(foreign.requests).toEqual([])
})

test('a redirect to where nothing protects the media is not followed', async () => {
  const [file] = await attached(inbox.fake.media({ redirectTo: `${foreign.url}/picture.png` }))
  expect(file).toMatchObject({ status: 'FAILED', failure: expect.stringMatching(/not safe/) })
  expect(foreign.requests).toEqual([])
})

test('media that are too large, or that Twilio refuses, are FAILED with the reason', async () => {
  const large = inbox.fake.media({ bytes: Buffer.alloc(1025), contentType: 'image/png' })
  const limit = inbox.fake.media({ bytes: Buffer.alloc(1024), contentType: 'image/png' })
  const files = await attached(large, inbox.fake.media({ status: 403 }), limit)
  expect(files).toMatchObject([
    { status: 'FAILED', failure: expect.stringMatching(/1024 bytes/) },
    { status: 'FAILED', failure: expect.stringMatching(/403/) },
    { status: 'STORED', size: 1024 },
  ])
})

test('media that cannot be read yet are tried again', async () => {
  const url = inbox.fake.media({ status: 404 })
  const sent = await inbox.inbound(inbox.sms, newPhone(), '', { NumMedia: '1', MediaUrl0: url, MediaContentType0: 'image/png' })
  const { db, pool } = inbox.app.deps
  const waiting = await eventually(async () => {
    const { rows } = await pool.query<{ id: string; later: boolean; attempts: number }>(
      `SELECT job.id::text, job.run_at > now() AS later, job.attempts FROM graphile_worker._private_jobs job
       JOIN attachment a ON a.id::text = job.payload ->> 'attachmentId' WHERE a.source_url = $1 AND job.locked_at IS NULL`,
      [url],
    )
    expect(rows).toMatchObject([{ attempts: 1 }])
    return rows
  })
  expect(requestsFor(url)).toHaveLength(1)
  await pool.query('SELECT graphile_worker.reschedule_jobs($1::bigint[], run_at := now())', [waiting.map(({ id }) => id)])
  await eventually(() => expect(requestsFor(url).length).toBeGreaterThan(1))
  const attachment = await db.attachment.findFirstOrThrow({ where: { communication: { externalMessageId: sent.messageSid } } })
  expect(attachment).toMatchObject({ status: 'PENDING', failure: null })
})
