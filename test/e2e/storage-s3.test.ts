import { afterAll, beforeAll, expect, test } from 'vitest'
import { AttachmentDocument, CreateUploadDocument } from '../generated/graphql.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { type FakeS3, startFakeS3 } from '../support/fake-s3.ts'
import { dataOf, member, present } from '../support/result.ts'

let s3: FakeS3
let app: TestApp

const settings = () => ({
  S3_BUCKET: s3.bucket,
  S3_REGION: s3.region,
  S3_ENDPOINT: s3.url,
  S3_ACCESS_KEY_ID: s3.accessKeyId,
  S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
})

beforeAll(async () => {
  s3 = await startFakeS3()
  app = await startTestApp(settings())
})
afterAll(async () => {
  await app?.close()
  await s3?.close()
})

test('a file that is uploaded is in the bucket, comes from there, and is missed where it is gone', async () => {
  const input = { filename: 'a.txt', contentType: 'text/plain', size: 9 }
  const { attachment, url } = member(dataOf(await app.request(CreateUploadDocument, { input })).createUpload, 'CreateUploadSuccess')
  expect((await fetch(url, { method: 'PUT', body: 'to bucket' })).status).toBe(200)
  const { node } = dataOf(await app.request(AttachmentDocument, { id: attachment.id }))
  const link = present((node as { url: string | null }).url)
  expect([...s3.objects.values()].map(String)).toEqual(['to bucket'])
  expect(await (await fetch(link)).text()).toBe('to bucket')
  s3.objects.clear()
  expect((await fetch(link)).status).toBe(404)
})

test('a server whose bucket refuses does not start, and leaves nothing running', async () => {
  await expect(startTestApp({ ...settings(), S3_SECRET_ACCESS_KEY: 'wrong' })).rejects.toMatchObject({
    name: 'ConfigError',
    message: expect.stringMatching(/^S3_SECRET_ACCESS_KEY: /),
  })
})
