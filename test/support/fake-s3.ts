import { createHash, createHmac } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { startFakeServer } from './fake-server.ts'

export type FakeS3 = {
  url: string
  bucket: string
  region: string
  accessKeyId: string
  secretAccessKey: string
  /** By key. */
  objects: Map<string, Buffer>
  requests: string[]
  close(): Promise<void>
}

const sha256 = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex')
const hmac = (key: string | Buffer, data: string): Buffer => createHmac('sha256', key).update(data).digest()

/** One bucket of an S3 server, addressed by path. It refuses what is not signed as AWS Signature Version 4 asks, in S3's own words. */
export async function startFakeS3(): Promise<FakeS3> {
  const own = { bucket: 'parley-test', region: 'eu-central-1', accessKeyId: 'AKIAFAKE', secretAccessKey: 'fake secret' }
  const objects = new Map<string, Buffer>()
  const requests: string[] = []

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'http://localhost')
    requests.push(`${request.method} ${url.pathname}`)
    const body = await buffer(request)
    const refusal = refusalOf(request, url, body, own)
    if (refusal !== null) return fail(response, 403, refusal)
    const [, bucket, ...rest] = url.pathname.split('/')
    if (bucket !== own.bucket) return fail(response, 404, 'NoSuchBucket')
    const key = decodeURIComponent(rest.join('/'))
    if (request.method === 'PUT') {
      objects.set(key, body)
      response.writeHead(200, { etag: `"${createHash('md5').update(body).digest('hex')}"` }).end()
    } else if (request.method === 'DELETE') {
      objects.delete(key)
      response.writeHead(204).end()
    } else {
      const found = objects.get(key)
      if (found === undefined) return fail(response, 404, 'NoSuchKey')
      response.writeHead(200, { 'content-length': found.length, 'content-type': 'application/octet-stream' }).end(found)
    }
  }
  const { url, close } = await startFakeServer(handle)
  return {
    ...own,
    url,
    objects,
    requests,
    close,
  }
}

function fail(response: ServerResponse, status: number, code: string): void {
  const body = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>The fake refuses: ${code}.</Message></Error>`
  response.writeHead(status, { 'content-type': 'application/xml', 'content-length': Buffer.byteLength(body) }).end(body)
}

type Keys = Pick<FakeS3, 'region' | 'accessKeyId' | 'secretAccessKey'>

/** Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html */
function refusalOf(request: IncomingMessage, url: URL, body: Buffer, keys: Keys): string | null {
  const form = /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, SignedHeaders=([^,]+), Signature=(\w+)$/
  const [, keyId, day, region, signedHeaders, signature] = form.exec(request.headers.authorization ?? '') ?? []
  if (keyId === undefined || day === undefined || region === undefined || signedHeaders === undefined) return 'AccessDenied'
  if (keyId !== keys.accessKeyId) return 'InvalidAccessKeyId'
  if (region !== keys.region) return 'AuthorizationHeaderMalformed'
  const payloadHash = String(request.headers['x-amz-content-sha256'])
  if (payloadHash !== 'UNSIGNED-PAYLOAD' && payloadHash !== sha256(body)) return 'XAmzContentSHA256Mismatch'
  const names = signedHeaders.split(';')
  if (!['host', 'x-amz-content-sha256', 'x-amz-date'].every((name) => names.includes(name))) return 'AccessDenied'
  const query = [...url.searchParams].map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).sort()
  const canonical = [
    request.method,
    url.pathname,
    query.join('&'),
    ...names.map((name) => `${name}:${String(request.headers[name]).trim()}`),
    '',
    signedHeaders,
    payloadHash,
  ].join('\n')
  const toSign = ['AWS4-HMAC-SHA256', request.headers['x-amz-date'], `${day}/${region}/s3/aws4_request`, sha256(canonical)].join('\n')
  const signingKey = hmac(hmac(hmac(hmac(`AWS4${keys.secretAccessKey}`, day), region), 's3'), 'aws4_request')
  return hmac(signingKey, toSign).toString('hex') === signature ? null : 'SignatureDoesNotMatch'
}
