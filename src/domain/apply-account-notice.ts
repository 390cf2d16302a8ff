import type { AccountNoticeFact } from '../channels/fact.ts'
import type { Deps } from '../deps.ts'
import { transact } from '../events/transact.ts'
import { type Health, healthOf } from './channel-accounts.ts'
import { cleanText } from './text.ts'

/** What the provider says about the account becomes one of its health checks, until the next notice of that name or the next check. */
export async function applyAccountNotice(
  deps: Pick<Deps, 'db' | 'bus' | 'clock'>,
  account: { id: string; organizationId: string },
  { name, ok, message }: AccountNoticeFact,
): Promise<void> {
  await transact(deps, account.organizationId, async (tx, recorder) => {
    await tx.$queryRaw`SELECT FROM channel_account WHERE id = ${account.id}::uuid FOR NO KEY UPDATE`
    const { health } = await tx.channelAccount.findUniqueOrThrow({ where: { id: account.id } })
    const others = ((health as Health | null)?.checks ?? []).filter((check) => check.name !== name)
    const changed = healthOf([...others, { name, ok, message: cleanText(message) }])
    await tx.channelAccount.update({ where: { id: account.id }, data: { health: changed, healthCheckedAt: deps.clock() } })
    recorder.event({ type: 'CHANNEL_ACCOUNT_CHANGED', data: { channelAccountId: account.id, change: 'notice' } })
  })
}
