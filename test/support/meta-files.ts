import { newId } from '../../src/domain/ids.ts'
import { type ContractServer, contractText } from './contract-files.ts'
import { type Known, remember } from './known-messages.ts'

type Json = Record<string, unknown>
type Entry = { id?: string; changes?: { value?: { metadata?: { phone_number_id?: string } } }[]; messaging?: unknown[] }
type Body = { object: string; entry: Entry[] }

/** What is posted for a file: its JSON; a bare item of `messaging` is wrapped as Meta does; of a file with several by name, one body each. */
export function metaBodies(file: string): Record<string, Body> {
  const json = JSON.parse(contractText(file)) as Json
  if (Array.isArray(json.entry)) return { '': json as Body }
  const object = file.startsWith('instagram/') ? 'instagram' : 'page'
  const items: Record<string, Json> = 'sender' in json || 'recipient' in json ? { '': json } : (json as Record<string, Json>)
  return Object.fromEntries(
    Object.entries(items).map(([name, item]) => {
      const { recipient, sender } = item as { recipient?: { id?: string }; sender?: { id?: string } }
      const isEcho = (item.message as Json | undefined)?.is_echo === true
      return [name, { object, entry: [{ id: (isEcho ? sender?.id : recipient?.id) ?? 'page', time: 1, messaging: [item] }] }]
    }),
  )
}

const numbers = new Map<string, string>()

/** Connects the accounts that the webhook is about, and stores the messages that it refers to with the first of them. */
export async function prepare(server: ContractServer, body: Body, known: Known[]): Promise<void> {
  const accounts: { id: string; channel: 'WHATSAPP' | 'MESSENGER' | 'INSTAGRAM' }[] = []
  for (const entry of body.entry) {
    if (body.object === 'page') {
      const credentials = { pageAccessToken: 'token', pageId: entry.id }
      accounts.push({ id: await server.account('META', 'MESSENGER', entry.id ?? '', credentials), channel: 'MESSENGER' })
    } else if (body.object === 'instagram') {
      const credentials = { accessToken: 'token', instagramAccountId: entry.id }
      accounts.push({ id: await server.account('META', 'INSTAGRAM', entry.id ?? '', credentials), channel: 'INSTAGRAM' })
    } else {
      for (const { value } of entry.changes ?? []) {
        const businessAccountId = entry.id ?? 'none'
        const phoneNumberId = value?.metadata?.phone_number_id ?? `of ${businessAccountId}`
        const address = numbers.get(phoneNumberId) ?? `+1555${String(1_000_000 + numbers.size)}`
        numbers.set(phoneNumberId, address)
        const credentials = { accessToken: 'token', phoneNumberId, businessAccountId }
        accounts.push({
          id: await server.account('META', 'WHATSAPP', address, credentials, [phoneNumberId, businessAccountId]),
          channel: 'WHATSAPP',
        })
      }
    }
  }
  const [account] = accounts
  if (account === undefined) return
  await knowTemplates(server, account.id, body)
  const kind = account.channel === 'WHATSAPP' ? 'PHONE' : account.channel
  const scope = account.channel === 'WHATSAPP' ? '' : (body.entry[0]?.id ?? '')
  await remember(server, account, known, { kind, scope })
}

/** Templates that the webhook is about are known already, and wait for approval. */
async function knowTemplates({ app, organizationId }: ContractServer, channelAccountId: string, body: Body): Promise<void> {
  for (const { value } of body.entry.flatMap((entry) => entry.changes ?? [])) {
    const { message_template_id: id, message_template_name: name, message_template_language: language } = (value ?? {}) as Json
    if (id === undefined) continue
    await app.deps.db.template.create({
      data: {
        id: newId(),
        organizationId,
        channelAccountId,
        scope: channelAccountId,
        name: String(name),
        language: String(language),
        body: 'Hello',
        providerTemplateId: String(id),
        status: 'PENDING',
      },
    })
  }
}
