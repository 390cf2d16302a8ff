import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { checkAnswer, type LoadResult, openConnection, percentile } from './http-load.ts'
import { type FrameSocket, openSockets } from './live-socket.ts'
import { type WebhookSource, webhookRequests } from './webhook-requests.ts'

/** What makes events: webhooks, of which `last` is in the last message that each leads to; or always the same request, for that many. */
type Trigger = { webhooks: WebhookSource; count: number; last: string } | { request: string; messages: number }

export type LiveTask = {
  port: number
  sockets: number
  seconds: number
  /** Triggers whose messages have not reached every socket yet. */
  outstanding: number
  /** A message each socket sends, waiting for one answer to each but the last. */
  greetings: string[]
  trigger: Trigger
}

type Lane = Awaited<ReturnType<typeof openConnection>>

const PATIENCE_MS = 30_000

/** `done`: messages that sockets got. `p50`, `p99`: from making an event until the last socket has the last message of it. `bytes`: of a message. */
export async function liveLoad(task: LiveTask): Promise<LoadResult> {
  const sockets = await openSockets(task.port, task.greetings, task.sockets)
  const next = triggers(task.trigger)
  const lanes: Lane[] = []
  try {
    lanes.push(await openConnection(task.port))
    await untilAllListen(sockets, lanes[0] as Lane, next)
    // Not before: a server closes connections on which nothing is asked.
    while (lanes.length < task.outstanding) lanes.push(await openConnection(task.port))
    const heard = countMessages(sockets, lastOf(task.trigger))
    const times: number[] = []
    const start = performance.now()
    const work = async ({ exchange }: Lane) => {
      for (let now = performance.now(); now < start + task.seconds * 1000; now = performance.now()) {
        const delivered = heard.nextTrigger()
        checkAnswer(await exchange(next()))
        await within(PATIENCE_MS, delivered, () => `${heard.messages()} messages have come to ${sockets.length} sockets, and no more`)
        times.push(performance.now() - now)
      }
    }
    await Promise.all(lanes.map(work))
    const seconds = (performance.now() - start) / 1000
    const done = heard.messages()
    return {
      done,
      seconds,
      p50: percentile(times, 0.5),
      p99: percentile(times, 0.99),
      bytes: Math.round(heard.bytes() / Math.max(1, done)),
    }
  } finally {
    for (const lane of lanes) lane.close()
    for (const socket of sockets) socket.close()
  }
}

/** All sockets get the same messages in the same order: one is looked at, the others are counted. */
function countMessages(sockets: FrameSocket[], isLast: (message: Buffer, index: number) => boolean) {
  const reached: number[] = []
  const lasts = new Set<number>()
  const waiting: (() => void)[] = []
  let made = 0
  let completed = 0
  let messages = 0
  let bytes = 0
  for (const [place, socket] of sockets.entries()) {
    let index = 0
    socket.heard = (message) => {
      messages++
      bytes += message.length
      if (place === 0 && isLast(message, index)) lasts.add(index)
      reached[index] = (reached[index] ?? 0) + 1
      if (reached[index] === sockets.length && lasts.has(index)) waiting[completed++]?.()
      index++
    }
  }
  return {
    messages: () => messages,
    bytes: () => bytes,
    /** Resolves when one more trigger's messages have reached every socket. */
    nextTrigger: () =>
      new Promise<void>((resolve) => {
        waiting[made++] = resolve
      }),
  }
}

const lastOf = (trigger: Trigger): ((message: Buffer, index: number) => boolean) =>
  'last' in trigger ? (message) => message.includes(trigger.last) : (_message, index) => (index + 1) % trigger.messages === 0

function triggers(trigger: Trigger): () => Buffer {
  if ('request' in trigger) {
    const request = Buffer.from(trigger.request)
    return () => request
  }
  const requests = webhookRequests(trigger.webhooks, trigger.count)
  return () => {
    const request = requests.pop()
    if (request === undefined) throw new Error(`${trigger.count} prepared webhooks were not enough`)
    return request
  }
}

/** graphql-ws does not confirm a subscription: it stands when an event comes. Then waits until nothing comes any more. */
async function untilAllListen(sockets: FrameSocket[], lane: Lane, next: () => Buffer): Promise<void> {
  const listening = new Set<FrameSocket>()
  let last = performance.now()
  for (const socket of sockets) {
    socket.heard = () => {
      listening.add(socket)
      last = performance.now()
    }
  }
  for (const end = performance.now() + PATIENCE_MS; listening.size < sockets.length; await sleep(250)) {
    if (performance.now() > end) throw new Error(`only ${listening.size} of ${sockets.length} sockets hear events`)
    checkAnswer(await lane.exchange(next()))
  }
  while (performance.now() - last < 500) await sleep(100)
}

async function within<T>(ms: number, promise: Promise<T>, problem: () => string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(problem())), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
