import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadConfig } from '../../src/config.ts'
import { openStorage } from '../../src/storage/open-storage.ts'
import type { Storage } from '../../src/storage/storage.ts'
import { type FakeS3, startFakeS3 } from '../support/fake-s3.ts'

let folder: string
let s3: FakeS3

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-storage-'))
  s3 = await startFakeS3()
})
afterAll(async () => {
  await s3?.close()
  await rm(folder, { recursive: true, force: true })
})

const bucket = (settings: Record<string, string> = {}) => ({
  S3_BUCKET: s3.bucket,
  S3_REGION: s3.region,
  S3_ENDPOINT: s3.url,
  S3_ACCESS_KEY_ID: s3.accessKeyId,
  S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
  ...settings,
})
const open = (settings: Record<string, string>) => openStorage(loadConfig({ NODE_ENV: 'test', DATA_DIR: folder, ...settings }))

describe.each([
  ['disk', () => ({})],
  ['S3', bucket],
])('%s', (_name, settings) => {
  let storage: Storage
  let close: () => void

  beforeAll(async () => {
    const opened = await open(settings())
    storage = opened.storage
    close = opened.close
  })
  afterAll(() => close?.())

  test('what is put comes back byte for byte, also when it is large or empty', async () => {
    const large = randomBytes(12_000_000)
    await Promise.all([storage.put('a/large-1', large), storage.put('a/empty', Buffer.alloc(0)), storage.put('a/text_2', Buffer.from('ğ'))])
    expect((await buffer(storage.get('a/large-1'))).equals(large)).toBe(true)
    expect(await buffer(storage.get('a/empty'))).toHaveLength(0)
    expect(String(await buffer(storage.get('a/text_2')))).toBe('ğ')
  })

  test('a second put replaces the first', async () => {
    await storage.put('twice', Buffer.from('first'))
    await storage.put('twice', Buffer.from('second'))
    expect(String(await buffer(storage.get('twice')))).toBe('second')
  })

  test('puts of one key at once leave one of them whole', async () => {
    const bodies = Array.from({ length: 8 }, (_, n) => Buffer.alloc(200_000, String(n)))
    await Promise.all(bodies.map((body) => storage.put('race', body)))
    const left = await buffer(storage.get('race'))
    expect(bodies.some((body) => body.equals(left))).toBe(true)
  })

  test('an unknown key is ENOENT', async () => {
    await expect(buffer(storage.get('never/put'))).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('what is deleted is unknown; deleting it again is no error', async () => {
    await storage.put('gone', Buffer.from('x'))
    await storage.delete('gone')
    await storage.delete('gone')
    await expect(buffer(storage.get('gone'))).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('a reader that stops early leaves the storage usable', async () => {
    await storage.put('long', randomBytes(5_000_000))
    const stream = storage.get('long')
    await once(stream, 'readable')
    stream.destroy()
    await once(stream, 'close')
    expect(await buffer(storage.get('long'))).toHaveLength(5_000_000)
  })

  test.each(['../secret', '/etc/passwd', 'a//b', 'a/../b', '', 'a b', 'a/'])('%j is not a key', async (key) => {
    await expect(storage.put(key, Buffer.from('x'))).rejects.toThrow('not a storage key')
    await expect((async () => buffer(storage.get(key)))()).rejects.toThrow('not a storage key')
    await expect((async () => storage.delete(key))()).rejects.toThrow('not a storage key')
  })
})

test('the disk keeps no half-written files, the bucket only what was put', async () => {
  const files = await readdir(join(folder, 'storage'), { recursive: true })
  expect(files.filter((name) => name.endsWith('.part'))).toEqual([])
  expect([...s3.objects.keys()].sort()).toEqual(['a/empty', 'a/large-1', 'a/text_2', 'long', 'race', 'twice'])
})

test.skipIf(process.platform === 'win32')('what customers have sent is readable for nobody else on the machine', async () => {
  const modes = await Promise.all(
    ['storage', 'storage/a', 'storage/a/empty'].map(async (path) => (await stat(join(folder, path))).mode & 0o777),
  )
  expect(modes).toEqual([0o700, 0o700, 0o600])
})

describe('settings of the bucket', () => {
  test.each([
    ['S3_SECRET_ACCESS_KEY', { S3_SECRET_ACCESS_KEY: '' }],
    ['S3_ACCESS_KEY_ID', { S3_ACCESS_KEY_ID: '' }],
    ['S3_BUCKET', { S3_BUCKET: '' }],
    ['S3_BUCKET', { S3_BUCKET: 'another-bucket' }],
    ['S3_REGION', { S3_REGION: 'us-west-2' }],
    ['S3_ACCESS_KEY_ID', { S3_ACCESS_KEY_ID: 'AKIAOTHER' }],
    ['S3_SECRET_ACCESS_KEY', { S3_SECRET_ACCESS_KEY: 'wrong' }],
    ['S3_ENDPOINT', { S3_ENDPOINT: 'http://127.0.0.1:1' }],
  ])('%s: wrong or missing, it is named at the start', async (name, settings) => {
    const opening = open(bucket(settings))
    await expect(opening).rejects.toThrow(new RegExp(`^${name}: `))
    await expect(opening).rejects.toMatchObject({ name: 'ConfigError', message: expect.not.stringContaining(s3.secretAccessKey) })
  })
})
