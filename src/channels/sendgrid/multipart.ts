import { Busboy } from '@fastify/busboy'

export type FormPart = { name: string; filename: string | null; contentType: string; bytes: Buffer }

/** `problem`: why it is not the whole form. */
export type MultipartForm = { parts: FormPart[]; problem: string | null }

const MAX_PARTS = 300
const MAX_HEADER_BYTES = 20_000

/**
 * The parts of a multipart/form-data body as bytes, for each field of an Inbound Parse post has its own charset. Never rejects: of a broken
 * body it gives what can be read, and says so. `maxBytes` bounds every part.
 */
export async function readMultipart(contentType: string, body: Buffer, maxBytes: number): Promise<MultipartForm> {
  const form = await read(contentType, body, maxBytes)
  if (form.parts.length > 0 || body.includes('\r\n--')) return form
  // Line ends without carriage returns: not what HTTP prescribes, and the only thing wrong.
  return read(contentType, Buffer.from(body.toString('latin1').replaceAll(/\r?\n/g, '\r\n').concat('\r\n'), 'latin1'), maxBytes)
}

function read(contentType: string, body: Buffer, maxBytes: number): Promise<MultipartForm> {
  return new Promise((resolve) => {
    const parts: FormPart[] = []
    let problem: string | null = null
    const end = () => resolve({ parts, problem })
    const fail = (error: unknown) => {
      problem ??= error instanceof Error ? error.message : String(error)
      // A part that ends early still emits what it has.
      setImmediate(end)
    }
    try {
      const limits = { fileSize: maxBytes, files: MAX_PARTS, parts: MAX_PARTS, headerPairs: 50, headerSize: MAX_HEADER_BYTES }
      const busboy = new Busboy({ headers: { 'content-type': contentType }, limits, isPartAFile: () => true })
      busboy.on('file', (name, stream, filename, _encoding, type) => {
        const chunks: Buffer[] = []
        // The order of the form, also where a part ends late.
        const part: FormPart = { name: name ?? '', filename: filename ?? null, contentType: type, bytes: Buffer.alloc(0) }
        parts.push(part)
        const keep = () => {
          part.bytes = Buffer.concat(chunks)
        }
        stream.on('data', (chunk: Buffer) => chunks.push(chunk))
        stream.on('limit', () => {
          problem ??= `the part ${JSON.stringify(name)} is longer than ${maxBytes} bytes`
        })
        stream.on('end', keep)
        stream.on('error', (error) => {
          keep()
          fail(error)
        })
      })
      busboy.on('partsLimit', () => {
        problem ??= `more than ${MAX_PARTS} parts`
      })
      busboy.on('finish', end)
      busboy.on('error', fail)
      busboy.end(body)
    } catch (error) {
      fail(error)
    }
  })
}
