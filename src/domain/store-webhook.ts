import type { Tx } from '../events/transact.ts'
import { newId } from './ids.ts'

/** The request that carried a fact, stored as it came. */
export type RawWebhook = { url: string; headers: Readonly<Record<string, string>>; body: Buffer }

type Account = { id: string; organizationId: string }

/** Keeps a webhook. `problem`: why nothing could be made of it; null: it was applied. */
export async function storeWebhook(tx: Tx, account: Account, raw: RawWebhook, problem: string | null): Promise<void> {
  await tx.webhook.create({
    data: {
      id: newId(),
      organizationId: account.organizationId,
      channelAccountId: account.id,
      url: raw.url,
      headers: raw.headers,
      body: new Uint8Array(raw.body),
      status: problem === null ? 'APPLIED' : 'UNPARSED',
      problem,
    },
  })
}
