import type { ChannelType } from '../../db/generated/enums.ts'
import type { Part, Wire } from '../channel.ts'
import type { Fact } from '../fact.ts'
import type { MetaApp } from './app.ts'
import { readJson } from './body.ts'
import { idIn, type Json, objectIn } from './json.ts'
import { parseMessaging, parseMessagingChange } from './messaging/parse.ts'
import { isSameText, isSigned } from './signature.ts'
import { parseWhatsappChange } from './whatsapp/parse.ts'

/** Source: https://developers.facebook.com/docs/graph-api/webhooks/getting-started ("payloads can be up to 3MB"). */
const MAX_BODY_BYTES = 3 * 1024 * 1024

type Item = { list: 'changes' | 'messaging' | 'standby'; entry: Json; item: unknown }
type Read = { addresses: string[]; facts: Fact[] }

const CHANNELS = new Map<unknown, ChannelType>([
  ['whatsapp_business_account', 'WHATSAPP'],
  ['page', 'MESSENGER'],
  ['instagram', 'INSTAGRAM'],
])

/**
 * The webhook of the app: WhatsApp, Messenger and Instagram of all organizations in one, many items in a POST.
 * Source: https://developers.facebook.com/docs/graph-api/webhooks/getting-started
 */
export const createMetaWire = (app: MetaApp): Wire<unknown> => ({
  path: 'meta',
  reach: 'app',
  inboundSegment: () => '',
  verify: ({ body, headers }) => isSigned(body, headers['x-hub-signature-256'], app.appSecret),
  handshake(query) {
    const [token, challenge] = [query.get('hub.verify_token'), query.get('hub.challenge')]
    if (query.get('hub.mode') !== 'subscribe' || token === null || challenge === null || app.verifyToken === null) return null
    return isSameText(token, app.verifyToken) ? challenge : null
  },
  verifyToken: app.verifyToken,
  parse: (_segment, { body }) => partsOf(app, body),
  acknowledgement: { contentType: 'text/plain', body: 'EVENT_RECEIVED' },
  maxBodyBytes: MAX_BODY_BYTES,
})

function partsOf(app: MetaApp, body: Buffer): Part[] {
  const root = objectIn(readJson(body))
  if (root === null) return [lost(null, 'the body is no JSON object')]
  const channel = CHANNELS.get(root.object) ?? null
  if (channel === null) return [lost(null, `nothing is known about the object ${JSON.stringify(String(root.object).slice(0, 50))}`)]
  const items = itemsIn(root)
  if (items.length === 0) return [lost(channel, 'a webhook without any entry, change or message')]
  return grouped(app, root, channel, items)
}

const lost = (channel: ChannelType | null, reason: string): Part => ({
  to: { channel, addresses: [], communicationId: null },
  facts: [{ kind: 'unknown', reason }],
})

function itemsIn(root: Json): Item[] {
  const entries = Array.isArray(root.entry) ? root.entry : [root.entry]
  return entries.flatMap((value) => {
    const entry = objectIn(value)
    if (entry === null) return value === undefined ? [] : [{ list: 'changes' as const, entry: {}, item: value }]
    const items = (['messaging', 'standby', 'changes'] as const).flatMap((list) =>
      (Array.isArray(entry[list]) ? entry[list] : []).map((item: unknown) => ({ list, entry, item })),
    )
    return items.length > 0 ? items : [{ list: 'changes' as const, entry, item: undefined }]
  })
}

/** Neighbours about the same account are one part. A batch is about one number nearly always, and then it is applied in one go. */
function grouped(app: MetaApp, root: Json, channel: ChannelType, items: Item[]): Part[] {
  const parts: { key: string; addresses: string[]; facts: Fact[]; items: Item[] }[] = []
  for (const item of items) {
    const { addresses, facts } = readItem(app, channel, item)
    const key = addresses.join('\n')
    const last = parts.at(-1)
    if (last?.key === key) {
      last.items.push(item)
      for (const fact of facts) last.facts.push(fact)
    } else parts.push({ key, addresses, facts: [...facts], items: [item] })
  }
  return parts.map(({ addresses, facts, items: own }) => ({
    to: { channel, addresses, communicationId: null },
    facts,
    excerpt: () => excerptOf(root, own),
  }))
}

function readItem(app: MetaApp, channel: ChannelType, { list, entry, item }: Item): Read {
  const account = idIn(entry.id)
  const addresses = account === null ? [] : [account]
  const strange = (reason: string): Read => ({ addresses, facts: [{ kind: 'unknown', reason }] })
  const value = objectIn(item)
  if (value === null) return strange('an item that is no object')
  try {
    if (channel === 'WHATSAPP') return list === 'changes' ? parseWhatsappChange(app, entry, value) : strange(`WhatsApp sends no ${list}`)
    const object = channel === 'MESSENGER' ? 'page' : 'instagram'
    if (list === 'standby') return strange('another app has the conversation')
    if (account === null) return strange('an entry without an id')
    const facts = list === 'messaging' ? parseMessaging(object, account, value, app) : parseMessagingChange(object, account, value, app)
    return { addresses, facts }
  } catch (error) {
    // Hostile input found a hole: the item is kept with the reason, and its neighbours are not lost.
    return strange(`reading it failed: ${(error as Error).message}`)
  }
}

/** The body with these items alone, each entry once. */
function excerptOf(root: Json, items: Item[]): Buffer {
  const entries = new Map<Json, Json>()
  for (const { list, entry, item } of items) {
    const { messaging: _messaging, standby: _standby, changes: _changes, ...rest } = entry
    const own = entries.get(entry) ?? rest
    const known = own[list]
    if (Array.isArray(known)) known.push(item)
    else own[list] = [item]
    entries.set(entry, own)
  }
  return Buffer.from(JSON.stringify({ object: root.object, entry: [...entries.values()] }))
}
