import type { AnyChannelAdapter } from '../channels/channel.ts'
import { Rejected, Unavailable, Uncertain } from '../channels/failures.ts'
import type { ChannelAccount, Template } from '../db/generated/client.ts'
import type { Deps } from '../deps.ts'
import { type Tx, transact } from '../events/transact.ts'
import { enqueue } from '../jobs/enqueue.ts'
import type { Actor } from './actor.ts'
import { credentialsOf } from './channel-credentials.ts'
import { ChannelNotConnectedError, NotFoundError, ValidationError } from './errors.ts'
import { newId } from './ids.ts'
import { columnsOf, providerContents, saysTheSame, templateKey } from './provider-template.ts'

/** All templates of the account, and how many of them the synchronization has changed. */
export type SyncedTemplates = { templates: Template[]; created: number; updated: number; disabled: number }

type SyncDeps = Pick<Deps, 'db' | 'bus' | 'channels' | 'secrets' | 'clock' | 'log'>

const PATH = ['input', 'channelAccountId']

/**
 * Asks the provider for the account's templates and makes ours the same. Throws NotFoundError; ValidationError where the provider has no
 * templates; ChannelNotConnectedError where the account is not active, or the provider refuses or gives no answer.
 */
export async function syncTemplates(deps: SyncDeps, actor: Actor, channelAccountId: string): Promise<SyncedTemplates> {
  const { organizationId } = actor
  const account = await deps.db.channelAccount.findFirst({ where: { id: channelAccountId, organizationId } })
  if (account === null) throw new NotFoundError('channel account', PATH)
  if (account.status !== 'ACTIVE') throw new ChannelNotConnectedError('The channel account is not active.', PATH)
  const adapter = deps.channels.get(account.provider, account.channel)
  if (adapter.listTemplates === undefined)
    throw new ValidationError(`${account.provider} has no templates for ${account.channel}: make them with createTemplate.`, PATH)
  try {
    return await sync(deps, account, adapter, actor.memberId)
  } catch (error) {
    if (error instanceof Rejected) throw new ChannelNotConnectedError(error.explanation, PATH)
    if (!(error instanceof Unavailable || error instanceof Uncertain)) throw error
    deps.log.warn({ err: error, channelAccountId }, 'the provider did not list its templates')
    throw new ChannelNotConnectedError('The provider could not be reached. Try again later.', PATH)
  }
}

/** As a job. A refusal is final until something changes; throws where the provider gives no answer. */
export async function syncTemplatesOfAccount(deps: SyncDeps, channelAccountId: string): Promise<void> {
  const account = await deps.db.channelAccount.findUnique({ where: { id: channelAccountId } })
  if (account === null || account.status !== 'ACTIVE') return
  const adapter = deps.channels.get(account.provider, account.channel)
  if (adapter.listTemplates === undefined) return
  try {
    await sync(deps, account, adapter, null)
  } catch (error) {
    if (!(error instanceof Rejected)) throw error
    deps.log.warn({ err: error, channelAccountId }, 'the provider refused to list its templates')
  }
}

/** Adds the job that brings the account's templates up to date; one that waits already is not doubled. */
export const enqueueTemplateSync = (tx: Tx, channelAccountId: string): Promise<void> =>
  enqueue(tx, 'sync-templates', { channelAccountId }, { key: `sync-templates:${channelAccountId}`, maxAttempts: 8 })

/** As `enqueueTemplateSync`, where the account is active and its provider has templates. */
export async function enqueueSyncWhereActive({ channels }: Pick<Deps, 'channels'>, tx: Tx, account: SyncedAccount): Promise<void> {
  const { id, provider, channel, status } = account
  if (status === 'ACTIVE' && channels.get(provider, channel).listTemplates !== undefined) await enqueueTemplateSync(tx, id)
}

type SyncedAccount = Pick<ChannelAccount, 'id' | 'provider' | 'channel' | 'status'>

/** Adds a job for each active account whose provider has templates. */
export async function enqueueTemplateSyncs(deps: Pick<Deps, 'db' | 'channels'>): Promise<void> {
  const select = { id: true, provider: true, channel: true, status: true } as const
  const accounts = await deps.db.channelAccount.findMany({ where: { status: 'ACTIVE' }, select })
  for (const account of accounts) await enqueueSyncWhereActive(deps, deps.db, account)
}

async function sync(deps: SyncDeps, account: ChannelAccount, adapter: AnyChannelAdapter, actorId: string | null): Promise<SyncedTemplates> {
  const { id, organizationId, channel } = account
  const syncedAt = deps.clock()
  const listed = (await adapter.listTemplates?.({ address: account.address }, credentialsOf(deps, adapter, account))) ?? []
  const contents = providerContents(listed)
  return transact(deps, organizationId, async (tx, recorder) => {
    await tx.$queryRaw`SELECT FROM channel_account WHERE id = ${id}::uuid FOR NO KEY UPDATE`
    const tell = (templateId: string, change: string) => recorder.event({ type: 'TEMPLATE_CHANGED', actorId, data: { templateId, change } })
    const all = await tx.template.findMany({ where: { channelAccountId: id } })
    const known = new Map(all.map((template) => [templateKey(template), template]))
    const counts = { created: 0, updated: 0, disabled: 0 }
    for (const [key, content] of contents) {
      const template = known.get(key)
      if (template === undefined) {
        const made = { id: newId(), organizationId, channelAccountId: id, scope: id, channel, syncedAt }
        await tx.template.create({ data: { ...columnsOf(content), ...made } })
        tell(made.id, 'created')
        counts.created += 1
      } else if (isOlder(template, syncedAt) && !saysTheSame(template, content)) {
        await tx.template.update({ where: { id: template.id }, data: { ...columnsOf(content), updatedAt: deps.clock() } })
        tell(template.id, 'updated')
        counts.updated += 1
      }
    }
    const gone = all.filter((each) => !contents.has(templateKey(each)) && isOlder(each, syncedAt) && each.status !== 'DISABLED')
    counts.disabled = gone.length
    // Messages that were sent with them refer to them, so they stay.
    const data = { status: 'DISABLED', statusReason: 'The provider does not have it any more.', updatedAt: deps.clock() } as const
    await tx.template.updateMany({ where: { id: { in: gone.map((template) => template.id) } }, data })
    for (const template of gone) tell(template.id, 'disabled')
    await tx.template.updateMany({ where: { channelAccountId: id, syncedAt: { lt: syncedAt } }, data: { syncedAt } })
    return { ...counts, templates: await tx.template.findMany({ where: { channelAccountId: id }, orderBy: { id: 'asc' } }) }
  })
}

/** What the provider has said of a template since the list was asked for is newer than the list. */
const isOlder = ({ syncedAt }: Pick<Template, 'syncedAt'>, askedAt: Date): boolean => syncedAt === null || syncedAt <= askedAt
