import type { IncomingMessage } from 'node:http'
import { Busboy, type BusboyFileStream, type BusboyInstance } from '@fastify/busboy'
import type { Attachment } from '../db/generated/client.ts'
import type { Deps } from '../deps.ts'
import { addUpload, deleteUploads, type Uploader } from '../domain/upload-attachment.ts'
import { HttpError, RequestAborted } from './errors.ts'

type FormDeps = Pick<Deps, 'config' | 'db' | 'storage' | 'clock'>

const MAX_FILES = 10

/**
 * Stores the files of a multipart form, one after the other, so that no more than one is in memory. Throws HttpError 400, 413 or 415, or
 * RequestAborted; nothing is kept then. The rest of a refused form is read and thrown away, so that the client gets to read the answer.
 */
export async function receiveFiles(deps: FormDeps, uploader: Uploader, request: IncomingMessage): Promise<Attachment[]> {
  const stored: Attachment[] = []
  try {
    await eachFile(request, deps.config.MAX_ATTACHMENT_BYTES, async (file) => {
      stored.push(await addUpload(deps, uploader, file))
    })
    if (stored.length === 0) throw new HttpError(400, 'The form holds no file.')
    return stored
  } catch (error) {
    if (stored.length > 0) await deleteUploads(deps, { ids: stored.map(({ id }) => id) })
    throw error
  }
}

type FormFile = { filename: string | null; contentType: string | null; body: Buffer }

async function eachFile(request: IncomingMessage, maxBytes: number, take: (file: FormFile) => Promise<void>): Promise<void> {
  const form = openForm(request, maxBytes)
  const done = Promise.withResolvers<void>()
  const files: BusboyFileStream[] = []
  let queue = Promise.resolve()
  const tooMany = () => done.reject(new HttpError(413, `At most ${MAX_FILES} files are taken at a time.`))
  form.on('filesLimit', tooMany).on('fieldsLimit', tooMany)
  form.on('file', (_field, stream, filename, _encoding, contentType) => {
    files.push(stream)
    stream.on('error', () => done.reject(malformed()))
    // Unread, a file makes the form wait, and the form the client.
    queue = queue.then(async () => {
      const body = await bytesOf(stream, filename, maxBytes)
      // What a browser sends for a field without a chosen file.
      if (body.byteLength === 0 && !filename) return
      if (body.byteLength === 0) throw new HttpError(400, `The file ${filename} is empty.`)
      await take({ filename, contentType, body })
    })
    queue.catch(done.reject)
  })
  form.on('finish', () => done.resolve(queue)).on('error', () => done.reject(malformed()))
  request.on('aborted', () => done.reject(new RequestAborted('the client went away during the upload')))
  request.pipe(form)
  try {
    await done.promise
  } catch (error) {
    request.unpipe(form)
    request.resume()
    for (const file of files) file.destroy()
    await queue.catch(() => undefined)
    throw error
  }
}

const malformed = () => new HttpError(400, 'The body is not a complete multipart form.')

function openForm(request: IncomingMessage, maxBytes: number): BusboyInstance {
  const contentType = request.headers['content-type'] ?? ''
  if (!/^multipart\/form-data *;.*boundary=/i.test(contentType)) {
    request.resume()
    throw new HttpError(415, 'Send the files as multipart/form-data.')
  }
  const limits = { fileSize: maxBytes, files: MAX_FILES, fields: MAX_FILES, fieldSize: 1024, headerPairs: 50, headerSize: 8192 }
  return new Busboy({ headers: { ...request.headers, 'content-type': contentType }, limits })
}

async function bytesOf(stream: BusboyFileStream, filename: string, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  try {
    for await (const chunk of stream) chunks.push(chunk as Buffer)
  } catch {
    throw malformed()
  }
  if (!stream.truncated) return Buffer.concat(chunks)
  throw new HttpError(413, `The file ${filename} is larger than ${maxBytes} bytes, the limit set by MAX_ATTACHMENT_BYTES.`)
}
