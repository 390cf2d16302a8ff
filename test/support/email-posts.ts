import type { RawRequest } from '../../src/channels/channel.ts'

export type PostedFile = { name: string; filename: string; type: string; bytes: Buffer }

/** An Inbound Parse post of these fields, the bytes of each as they are, and files. */
export function inboundPost(fields: Record<string, string | Buffer>, files: readonly PostedFile[] = []): RawRequest {
  const boundary = 'xYzZY'
  const part = (head: string, bytes: string | Buffer) => [
    Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; ${head}\r\n\r\n`),
    Buffer.from(bytes as string),
    Buffer.from('\r\n'),
  ]
  const body = Buffer.concat([
    ...Object.entries(fields).flatMap(([name, value]) => part(`name="${name}"`, value)),
    ...files.flatMap(({ name, filename, type, bytes }) => part(`name="${name}"; filename="${filename}"\r\nContent-Type: ${type}`, bytes)),
    Buffer.from(`--${boundary}--\r\n`),
  ])
  return multipartPost(body, boundary)
}

export const multipartPost = (body: Buffer, boundary: string): RawRequest => ({
  method: 'POST',
  url: 'https://inbox.test/webhooks/sendgrid/demo/inbound?key=0123456789abcdef',
  headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
  body,
})
