// RFC 6455, section 5.2: one text frame that is the whole message, unmasked as a server's must be.
const FINAL_TEXT = 0x81
const LENGTH_IN_2_BYTES = 126
const LENGTH_IN_8_BYTES = 127

/** graphql-transport-ws `next` messages of one operation as WebSocket frames, one after the other: ready to be written to the connection. */
export function nextFrames(id: string, payloads: Buffer[]): Buffer {
  const head = Buffer.from(`{"id":${JSON.stringify(id)},"type":"next","payload":`)
  const length = (payload: Buffer) => head.length + payload.length + 1
  const size = payloads.reduce((sum, payload) => sum + headerSize(length(payload)) + length(payload), 0)
  const frames = Buffer.allocUnsafe(size)
  let at = 0
  for (const payload of payloads) {
    at = writeHeader(frames, at, length(payload))
    at += head.copy(frames, at)
    at += payload.copy(frames, at)
    at = frames.writeUInt8(0x7d, at)
  }
  return frames
}

const headerSize = (length: number): number => (length < LENGTH_IN_2_BYTES ? 2 : length < 0x10000 ? 4 : 10)

function writeHeader(frames: Buffer, at: number, length: number): number {
  const start = frames.writeUInt8(FINAL_TEXT, at)
  if (length < LENGTH_IN_2_BYTES) return frames.writeUInt8(length, start)
  if (length < 0x10000) return frames.writeUInt16BE(length, frames.writeUInt8(LENGTH_IN_2_BYTES, start))
  return frames.writeBigUInt64BE(BigInt(length), frames.writeUInt8(LENGTH_IN_8_BYTES, start))
}
