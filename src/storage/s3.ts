import { Readable } from 'node:stream'
import { DeleteObjectCommand, GetObjectCommand, NoSuchKey, PutObjectCommand, S3Client, S3ServiceException } from '@aws-sdk/client-s3'
import { ConfigError } from '../config.ts'
import { checkedKey, type Storage } from './storage.ts'

export type S3Settings = {
  bucket: string
  region: string
  /** Another server than Amazon's; buckets are then in the path. */
  endpoint: string | null
  /** null: as the AWS SDK finds them (the role of the machine or the container). */
  credentials: { accessKeyId: string; secretAccessKey: string } | null
}

export type S3Storage = Storage & {
  /** Writes an object and deletes it. Throws ConfigError that names the setting which seems to be wrong. */
  check(): Promise<void>
  close(): void
}

/** Objects in a bucket of Amazon S3, or of a server that speaks like it. */
export function s3Storage({ bucket, region, endpoint, credentials }: S3Settings): S3Storage {
  const client = new S3Client({
    region,
    ...(endpoint === null ? {} : { endpoint, forcePathStyle: true }),
    ...(credentials === null ? {} : { credentials }),
    // What not every compatible server understands is sent only where the operation demands it.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: { connectionTimeout: 5_000, requestTimeout: 60_000, throwOnRequestTimeout: true },
  })
  const storage: Storage = {
    async put(key, body) {
      await client.send(new PutObjectCommand({ Bucket: bucket, Key: checkedKey(key), Body: body }))
    },
    get: (key) => Readable.from(bytesOf(client, bucket, checkedKey(key)), { objectMode: false }),
    async delete(key) {
      try {
        await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: checkedKey(key) }))
      } catch (error) {
        if (!(error instanceof NoSuchKey)) throw error
      }
    },
  }
  return {
    ...storage,
    async check() {
      try {
        await storage.put('start-check', Buffer.from('Parley may write here.'))
        await storage.delete('start-check')
      } catch (error) {
        throw new ConfigError(explain(error, { bucket, region, endpoint, credentials }), { cause: error })
      }
    },
    close: () => client.destroy(),
  }
}

async function* bytesOf(client: S3Client, bucket: string, key: string): AsyncGenerator<Uint8Array> {
  try {
    const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }))
    if (Body instanceof Readable) yield* Body as AsyncIterable<Uint8Array>
  } catch (error) {
    if (!(error instanceof NoSuchKey)) throw error
    throw Object.assign(new Error(`ENOENT: no such object: ${key}`, { cause: error }), { code: 'ENOENT' })
  }
}

/** Source of the codes: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList */
const SETTING_OF: Record<string, string> = {
  NoSuchBucket: 'S3_BUCKET',
  InvalidBucketName: 'S3_BUCKET',
  AllAccessDisabled: 'S3_BUCKET',
  PermanentRedirect: 'S3_REGION',
  IllegalLocationConstraintException: 'S3_REGION',
  AuthorizationHeaderMalformed: 'S3_REGION',
  InvalidAccessKeyId: 'S3_ACCESS_KEY_ID',
  SignatureDoesNotMatch: 'S3_SECRET_ACCESS_KEY',
  CredentialsProviderError: 'S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY',
  AccessDenied: 'S3_BUCKET and S3_ACCESS_KEY_ID',
}

function explain(error: unknown, { bucket, region, endpoint }: S3Settings): string {
  const { name, message } = error as Error
  const setting = SETTING_OF[name] ?? (error instanceof S3ServiceException ? 'S3_BUCKET' : endpoint === null ? 'S3_REGION' : 'S3_ENDPOINT')
  const place = endpoint === null ? `region ${region}` : endpoint
  return `${setting}: a test object could not be written to the bucket ${bucket} at ${place}: ${name}: ${message}`
}
