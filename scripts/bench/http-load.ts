import { connect, type Socket } from 'node:net'
import { performance } from 'node:perf_hooks'

export type HttpTask = { port: number; connections: number; seconds: number }

/** `done`: how many were answered in `seconds`; `p50`, `p99`: milliseconds; `also`: further numbers by their unit. */
export type LoadResult = { done: number; seconds: number; p50?: number; p99: number; bytes: number; also?: Record<string, number> }

const HEAD_END = Buffer.from('\r\n\r\n')
const LAST_CHUNK = Buffer.from('\r\n0\r\n\r\n')

/** One keep-alive connection that has one request in hand. Plain sockets, so that the client costs little beside the server. */
export async function openConnection(port: number): Promise<{ exchange(request: Buffer): Promise<Buffer>; close(): void }> {
  const socket: Socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject))
  let parts: Buffer[] = []
  let answer: { resolve: (response: Buffer) => void; reject: (error: Error) => void } | null = null
  let missing = -1
  socket.on('data', (data: Buffer) => {
    parts.push(data)
    if (missing < 0) missing = bytesMissing(Buffer.concat(parts))
    else if (missing !== Number.POSITIVE_INFINITY) missing -= data.length
    if (missing === Number.POSITIVE_INFINITY ? !Buffer.concat(parts.slice(-2)).subarray(-7).equals(LAST_CHUNK) : missing !== 0) return
    const response = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)
    parts = []
    missing = -1
    answer?.resolve(response)
  })
  socket.on('error', (error) => answer?.reject(error))
  socket.on('close', () => answer?.reject(new Error('the server closed the connection')))
  return {
    exchange: (request) =>
      new Promise((resolve, reject) => {
        answer = { resolve, reject }
        socket.write(request)
      }),
    close: () => socket.destroy(),
  }
}

/** -1: the head is not complete; infinite: in chunks, until the last one. */
function bytesMissing(received: Buffer): number {
  const headEnd = received.indexOf(HEAD_END)
  if (headEnd === -1) return -1
  const length = /\r\ncontent-length: *(\d+)/i.exec(received.toString('latin1', 0, headEnd))?.[1]
  return length === undefined ? Number.POSITIVE_INFINITY : headEnd + HEAD_END.length + Number(length) - received.length
}

/** Throws where the answer is not 200 or says that the operation failed. */
export function checkAnswer(response: Buffer): void {
  const start = response.indexOf(HEAD_END) + HEAD_END.length
  if (response.subarray(9, 12).toString('latin1') === '200' && !response.subarray(start, start + 60).includes('"errors"')) return
  throw new Error(`the server answered:\n${response.subarray(0, 2000).toString('utf8')}`)
}

/** As many requests as `connections` can do one after the other in the time given, or until `next` has no more. */
export async function replay(task: HttpTask, next: () => Buffer | undefined): Promise<LoadResult> {
  const connections = await Promise.all(Array.from({ length: task.connections }, () => openConnection(task.port)))
  const times: number[] = []
  let bytes = 0
  const start = performance.now()
  const end = start + task.seconds * 1000
  const work = async ({ exchange }: (typeof connections)[number]) => {
    for (let now = performance.now(); now < end; ) {
      const request = next()
      if (request === undefined) return
      const response = await exchange(request)
      checkAnswer(response)
      const answered = performance.now()
      times.push(answered - now)
      bytes += response.length
      now = answered
    }
  }
  await Promise.all(connections.map(work))
  const seconds = (performance.now() - start) / 1000
  for (const { close } of connections) close()
  return {
    done: times.length,
    seconds,
    p50: percentile(times, 0.5),
    p99: percentile(times, 0.99),
    bytes: Math.round(bytes / Math.max(1, times.length)),
  }
}

export function percentile(times: number[], part: number): number {
  times.sort((a, b) => a - b)
  return times[Math.min(times.length - 1, Math.floor(times.length * part))] ?? Number.NaN
}
