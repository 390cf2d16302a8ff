import { type DeliveryTask, deliveryLoad } from './delivery-load.ts'
import { type HttpTask, type LoadResult, replay } from './http-load.ts'
import { type LiveTask, liveLoad } from './live-load.ts'
import { type LiveMemoryTask, liveMemory } from './live-memory.ts'
import { type WebhookSource, webhookRequests } from './webhook-requests.ts'

export type ClientTask =
  | ({ kind: 'requests'; requests: string[] } & HttpTask)
  | ({ kind: 'webhooks'; source: WebhookSource; count: number } & HttpTask)
  | ({ kind: 'deliveries' } & DeliveryTask)
  | ({ kind: 'live' } & LiveTask)
  | ({ kind: 'live-memory' } & LiveMemoryTask)

/** Any request of the list, again and again. */
function repeated(requests: string[]): () => Buffer {
  const buffers = requests.map((text) => Buffer.from(text))
  return () => buffers[Math.floor(Math.random() * buffers.length)] as Buffer
}

/** Each request of the list once. */
function inTurn(requests: Buffer[]): () => Buffer | undefined {
  let sent = 0
  return () => requests[sent++]
}

async function run(task: ClientTask): Promise<LoadResult | number> {
  if (task.kind === 'requests') return replay(task, repeated(task.requests))
  if (task.kind === 'webhooks') return replay(task, inTurn(webhookRequests(task.source, task.count)))
  if (task.kind === 'live-memory') return liveMemory(task)
  if (task.kind === 'deliveries') return deliveryLoad(task)
  return liveLoad(task)
}

process.on('disconnect', () => process.exit())
process.on('message', (task: ClientTask) => {
  run(task).then(
    (result) => process.send?.({ result }),
    (error: Error) => process.send?.({ error: error.message }),
  )
})
