import type { OutgoingEmail } from '../channels/channel.ts'
import type { EmailDetails, Mailbox } from '../channels/fact.ts'
import type { ChannelAccount, Communication, Conversation, Prisma } from '../db/generated/client.ts'
import type { Deps } from '../deps.ts'
import type { Tx } from '../events/transact.ts'
import { conversationOfReplyToken, withReplyToken } from './email-reply-token.ts'

/** A header line has a limit (RFC 5322: 998 characters): the first and the latest ids are what clients thread by. */
const MAX_REFERENCES = 12
const MAX_LOOKED_UP = 50

type Account = Pick<ChannelAccount, 'id' | 'address' | 'name' | 'routingKeys'>
type Outbound = Pick<Communication, 'id' | 'organizationId' | 'conversationId' | 'purpose' | 'inReplyTo'> & { address: string | null }

/** Keeps the HTML of an e-mail that is to be sent, in the place of what it was before; `outgoingEmail` sends it. `html` is sanitized already. */
export async function draftEmail(tx: Tx, communication: Outbound, account: Account, html: string | null): Promise<void> {
  await tx.emailMessage.upsert({
    where: { communicationId: communication.id },
    create: { ...envelopeOf(communication, account), html },
    update: { html },
  })
}

/**
 * What an e-mail about to be sent has beyond subject and body, kept with it so that an answer finds it. The Message-ID is made of the
 * communication's id: a second attempt is the same e-mail. It continues the thread of the e-mail it answers, else of the conversation's
 * latest; a marketing message starts its own. Answers go to the account's first routing key, else its address, with a signed token.
 */
export async function outgoingEmail(
  deps: Pick<Deps, 'config'>,
  tx: Tx,
  communication: Outbound,
  account: Account,
  conversation: Pick<Conversation, 'id'>,
): Promise<OutgoingEmail> {
  const marketing = communication.purpose === 'MARKETING'
  const messageId = `${communication.id}@${domainOf(account.address)}`
  const references = marketing && communication.inReplyTo === null ? [] : await threadOf(tx, communication, conversation.id)
  const { html } = await tx.emailMessage.upsert({
    where: { communicationId: communication.id },
    create: { ...envelopeOf(communication, account), messageId, references },
    update: { messageId, references },
  })
  const answersTo = account.routingKeys.find((key) => key.includes('@')) ?? account.address
  const replyTo = { name: account.name, address: withReplyToken(deps.config, answersTo, communication.organizationId, conversation.id) }
  return { fromName: account.name, html, messageId, references, replyTo, marketing }
}

/** "Re: …" of the conversation's latest e-mail, for an answer to which nobody gave a subject; null where there is none. */
export async function replySubject(tx: Tx, conversationId: string): Promise<string | null> {
  const latest = await tx.communication.findFirst({
    where: { conversationId, subject: { not: null }, email: { isNot: null } },
    orderBy: { id: 'desc' },
    select: { subject: true },
  })
  const subject = latest?.subject?.trim()
  if (subject === undefined || subject === '') return null
  return /^re:/i.test(subject) ? subject : `Re: ${subject}`
}

export type EmailParents = {
  /** The e-mails of this account that it may answer, best first, each with the customer whose it is. */
  parents: { customerId: string; externalMessageId: string }[]
  /** The customer whose conversation a token that we signed names. */
  tokenCustomerId: string | null
}

/**
 * What a received e-mail may answer: by the ids in In-Reply-To and References, else by the reply token in an address it was sent to, never by
 * its subject. Anybody can write these headers: only a parent of the customer who wrote it counts, and a token of somebody else's conversation
 * is a suggestion that the two are one person, which staff decides.
 */
export async function emailParents(
  deps: Pick<Deps, 'config'>,
  tx: Tx,
  account: { id: string; organizationId: string },
  email: Pick<EmailDetails, 'references' | 'deliveredTo' | 'to' | 'cc'>,
): Promise<EmailParents> {
  const ids = email.references.slice(-MAX_LOOKED_UP).reverse()
  const conversation = await conversationNamed(deps, tx, account, email)
  const parents = ids.length === 0 ? [] : await messagesNamed(tx, account.id, ids)
  if (conversation === null) return { parents, tokenCustomerId: null }
  const latest = await tx.communication.findFirst({
    where: { conversationId: conversation.id, direction: 'OUTBOUND', externalMessageId: { not: null } },
    orderBy: { id: 'desc' },
    select: { customerId: true, externalMessageId: true },
  })
  const named = latest === null || latest.externalMessageId === null ? [] : [{ ...latest, externalMessageId: latest.externalMessageId }]
  return { parents: [...parents, ...named], tokenCustomerId: conversation.customerId }
}

/** E-mails that the customer can have seen. */
const seen: Prisma.CommunicationWhereInput[] = [{ direction: 'INBOUND' }, { deliveryStatus: { in: ['SENT', 'DELIVERED', 'READ'] } }]

async function threadOf(tx: Tx, communication: Outbound, conversationId: string): Promise<string[]> {
  const parent = await tx.communication.findFirst({
    where: {
      conversationId,
      id: { not: communication.id },
      email: { messageId: { not: null } },
      ...(communication.inReplyTo === null ? { OR: seen } : { externalMessageId: communication.inReplyTo }),
    },
    orderBy: { id: 'desc' },
    select: { email: { select: { messageId: true, references: true } } },
  })
  const { messageId = null, references = [] } = parent?.email ?? {}
  if (messageId === null) return []
  const chain = [...new Set([...references.filter((id) => id !== messageId), messageId])]
  return chain.length <= MAX_REFERENCES ? chain : [...chain.slice(0, 1), ...chain.slice(1 - MAX_REFERENCES)]
}

/** In the order of `ids`. A relay may have replaced our Message-ID by SendGrid's own, whose local part is the id of the send. */
async function messagesNamed(tx: Tx, channelAccountId: string, ids: string[]): Promise<EmailParents['parents']> {
  const sends = ids.map((id) => id.slice(0, Math.max(0, id.lastIndexOf('@'))))
  const select = { customerId: true, externalMessageId: true } as const
  const byId = await tx.emailMessage.findMany({
    where: { channelAccountId, messageId: { in: ids } },
    select: { messageId: true, communication: { select } },
  })
  const bySend = await tx.communication.findMany({ where: { channelAccountId, externalMessageId: { in: sends } }, select })
  const found = [
    ...byId.map(({ messageId, communication }) => ({ ...communication, place: ids.indexOf(messageId ?? '') })),
    ...bySend.map((communication) => ({ ...communication, place: sends.indexOf(communication.externalMessageId ?? '') })),
  ]
  return found
    .toSorted((a, b) => a.place - b.place)
    .flatMap(({ customerId, externalMessageId }) => (externalMessageId === null ? [] : [{ customerId, externalMessageId }]))
}

async function conversationNamed(
  deps: Pick<Deps, 'config'>,
  tx: Tx,
  account: { id: string; organizationId: string },
  email: Pick<EmailDetails, 'deliveredTo' | 'to' | 'cc'>,
): Promise<{ id: string; customerId: string } | null> {
  const { id: channelAccountId, organizationId } = account
  const addresses = [...(email.deliveredTo ?? []), ...[...email.to, ...email.cc].map(({ address }) => address)]
  let id = addresses.map((address) => conversationOfReplyToken(deps.config, address, organizationId)).find((named) => named !== null)
  const passed = new Set<string>()
  while (id !== undefined && !passed.has(id)) {
    passed.add(id)
    const conversation = await tx.conversation.findFirst({ where: { id, organizationId, channelAccountId } })
    if (conversation === null) return null
    if (conversation.mergedIntoId === null) return conversation
    id = conversation.mergedIntoId
  }
  return null
}

function envelopeOf(communication: Outbound, account: Account) {
  const from: Mailbox = { name: account.name, address: account.address }
  return {
    communicationId: communication.id,
    organizationId: communication.organizationId,
    channelAccountId: account.id,
    from,
    to: communication.address === null ? [] : [{ name: null, address: communication.address }],
  }
}

const domainOf = (address: string): string => address.slice(address.lastIndexOf('@') + 1)
