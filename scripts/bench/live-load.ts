import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { type FrameSocket, openFrameSocket } from './frame-socket.ts'
import { checkAnswer, type LoadResult, openConnection, percentile } from './http-load.ts'
import { type WebhookSource, webhookRequests } from './webhook-requests.ts'

export type LiveTask = {
  port: number
  sockets: number
  seconds: number
  /** Events that are made but have not reached every socket yet. */
  outstanding: number
  /** A message each socket sends, waiting for one answer to each but the last. */
  greetings: string[]
  /** What makes an event: a webhook, or always the same request. */
  trigger: { webhooks: WebhookSource; count: number } | { request: string }
}

const PATIENCE_MS = 20_000

/** `done` counts deliveries: events times sockets. `p99`: from making an event until the last socket has it. `bytes`: of one message. */
export async function liveLoad(task: LiveTask): Promise<LoadResult> {
  const state = { deliveries: 0, bytes: 0 }
  const waiting: (() => void)[] = []
  const sockets: FrameSocket[] = []
  let completed = 0
  const heard = (bytes: number) => {
    state.deliveries++
    state.bytes += bytes
    for (; (completed + 1) * sockets.length <= state.deliveries; completed++) waiting[completed]?.()
  }
  for (let index = 0; index < task.sockets; index++)
    sockets.push(await openFrameSocket(task.port, '/graphql', 'graphql-transport-ws', task.greetings))
  const next = triggers(task)
  const lanes = await Promise.all(Array.from({ length: task.outstanding }, () => openConnection(task.port)))
  try {
    await untilAllListen(sockets, lanes[0] as (typeof lanes)[number], next)
    for (const socket of sockets) socket.heard = heard
    const times: number[] = []
    let made = 0
    const start = performance.now()
    const work = async ({ exchange }: (typeof lanes)[number]) => {
      for (let now = performance.now(); now < start + task.seconds * 1000; now = performance.now()) {
        const delivered = new Promise<void>((resolve) => {
          waiting[made++] = resolve
        })
        checkAnswer(await exchange(next()))
        await within(PATIENCE_MS, delivered, () => `${state.deliveries} of ${made * sockets.length} deliveries have come`)
        times.push(performance.now() - now)
      }
    }
    await Promise.all(lanes.map(work))
    const seconds = (performance.now() - start) / 1000
    return {
      done: state.deliveries,
      seconds,
      p50: percentile(times, 0.5),
      p99: percentile(times, 0.99),
      bytes: Math.round(state.bytes / Math.max(1, state.deliveries)),
    }
  } finally {
    for (const lane of lanes) lane.close()
    for (const socket of sockets) socket.close()
  }
}

function triggers({ trigger }: LiveTask): () => Buffer {
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
async function untilAllListen(sockets: FrameSocket[], lane: Awaited<ReturnType<typeof openConnection>>, next: () => Buffer): Promise<void> {
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
