import { type DocumentNode, Kind, type OperationTypeNode, print } from 'graphql'
import { globalId, localId, type NodeType } from '../../schema/global-id.ts'
import { emailParents, replySubject } from '../../src/domain/email-threading.ts'
import { encodeCursor } from '../../src/events/cursor.ts'
import { enqueue, type Jobs } from '../../src/jobs/enqueue.ts'
import * as generated from '../generated/graphql.ts'
import type { TestApp } from './app.ts'
import { eventually } from './eventually.ts'
import { isVisitorField, printedSchema } from './graph.ts'
import { argumentsFor, type OwnIds, operationFor, rootFields } from './graph-walk.ts'
import { overSse } from './live.ts'
import { nextPage, type Operation, operationOf, variablesFor } from './operation-variables.ts'
import type { TestOrganization } from './organization.ts'
import { dataOf, member, present } from './result.ts'
import { nodeTables } from './tenant.ts'
import { openChat } from './webchat.ts'

type Recorder = (operation: string, work: () => Promise<unknown>) => Promise<void>

const schema = printedSchema()

const operations = Object.entries(generated).flatMap(([name, value]) => {
  if (!name.endsWith('Document')) return []
  const document = value as unknown as DocumentNode
  return [{ document: print(document), operation: operationOf(document) }]
})

const isOfVisitors = ({ operation, selectionSet: { selections } }: Operation): boolean => {
  const [first] = selections
  const field = first?.kind === Kind.FIELD ? schema.getRootType(operation)?.getFields()[first.name.value] : undefined
  return field === undefined || isVisitorField(field)
}

const ofStaff = (kind: `${OperationTypeNode}`) =>
  operations.filter(({ operation }) => operation.operation === kind && !isOfVisitors(operation))

const KNOWN = '+905400000001'
const jobs: (keyof Jobs)[] = ['recover-stale', 'prune-webhooks', 'delete-unsent-uploads', 'sync-all-templates', 'fold-channel-stats']

/** Does everything with an organization that the product is for, each thing under its name; what it is answered is another test's. */
export async function exercise(app: TestApp, org: TestOrganization, record: Recorder): Promise<void> {
  await org.ask(generated.CreateTemplateDocument, { input: { name: 'a template', body: 'Hello {{customer_name}}' } })
  await org.ask('mutation { createApiKey(input: { name: "a key", role: VIEWER }) { __typename } }')
  await org.ask(generated.UpdateNotificationSettingsDocument, { input: { reviewLink: 'https://example.com/review' } })
  const own = await idsOf(app, org.id)

  const send = async (document: string, variables: Record<string, unknown>): Promise<unknown> => {
    const { data, errors = [] } = await app.request(document, variables, org.token)
    const faults = errors.filter(({ extensions }) => extensions?.code !== 'INVALID_INPUT')
    if (faults.length > 0) throw new Error(`${document.slice(0, 100)} ${JSON.stringify(variables)}: ${JSON.stringify(faults)}`)
    return data
  }
  // Asks, and asks for the next page. A refusal is an answer too.
  const ask = async (document: string, operation: Operation, variables: Record<string, unknown>): Promise<void> => {
    const next = nextPage(await send(document, variables), operation)
    if (next !== null) await send(document, { ...variables, ...next })
  }

  for (const { document, operation } of ofStaff('query')) {
    await record(operation.name.value, async () => {
      for (const variables of variablesFor(schema, operation, own)) await ask(document, operation, variables)
    })
  }
  for (const field of rootFields(schema, 'Query')) {
    const fitting = argumentsFor(field, own, null, null)
    await record(field.name, () => send(operationFor(schema, 'query', field, fitting, 1), fitting))
  }
  for (const { document, operation } of ofStaff('subscription')) {
    await record(operation.name.value, async () => {
      for (const variables of [...variablesFor(schema, operation, own), { after: encodeCursor(1n) }]) {
        const { stop } = await overSse(app, { document, variables, token: org.token })
        await org.sms.inbound(KNOWN, 'live')
        stop()
      }
    })
  }
  await record('messages', () => converse(app, org))
  await record('web chat', async () => {
    const visitor = await (await openChat(app, org, { key: 'wc_large' })).visitor()
    await visitor.say('Hello')
    await visitor.texts()
    await idle(app)
  })
  await record('e-mail', () => thread(app, org.id, own))
  await record('mergeCustomers', () => mergeAndPart(app, org, own))
  for (const { document, operation } of ofStaff('mutation')) {
    await record(operation.name.value, async () => {
      for (const variables of [...variablesFor(schema, operation, own), ...besides(own, operation.name.value)])
        await ask(document, operation, variables)
      await idle(app)
    })
  }
  for (const job of jobs) {
    await record(job, async () => {
      await enqueue(app.deps.db, job, {} as never)
      await idle(app)
    })
  }
}

/** Inputs that the contract alone does not suggest. */
function besides(own: OwnIds, name: string): Record<string, unknown>[] {
  const inputs: Record<string, object[]> = {
    MarkRead: [{ target: { conversationId: own.Conversation } }, { target: { communicationIds: [own.Communication] } }],
    SendMessage: [
      { to: { address: '+15005550001' }, channel: 'SMS', content: { text: 'fails' }, idempotencyKey: 'once' },
      { to: { conversationId: own.Conversation }, content: { text: 'later' }, sendAt: '2199-01-01T00:00:00.000Z' },
    ],
    SendTestNotification: [{ kind: 'APPOINTMENT_REMINDER', channel: 'SMS', to: '+905559990098' }],
    UpdateNotificationSettings: [
      { reviewLink: 'https://example.com/review', automations: [{ kind: 'APPOINTMENT_REMINDER', reminderMinutes: [120] }] },
    ],
  }
  return (inputs[name] ?? []).map((input) => ({ input }))
}

/** Messages of someone known and of someone new, an opt-out, and what the provider says of an answer. */
async function converse(app: TestApp, { sms, whatsapp, ask }: TestOrganization): Promise<void> {
  await sms.inbound(KNOWN, 'of someone known')
  await sms.inbound('+905559990001', 'of someone new', { NumMedia: '1', MediaUrl0: 'data:text/plain,x', MediaContentType0: 'text/plain' })
  await whatsapp.inbound('+905559990001', 'hello')
  const sent = await ask(generated.SendMessageDocument, {
    input: { to: { address: '+905559990001' }, channel: 'SMS', content: { text: 'answer' } },
  })
  const { id } = member(sent.sendMessage, 'SendMessageSuccess').communication
  await idle(app)
  const { externalMessageId } = await app.deps.db.communication.findUniqueOrThrow({ where: { id: present(localId('Communication', id)) } })
  await sms.status(present(externalMessageId), 'delivered')
  await sms.status('SM00000000000000000000000000000000', 'delivered')
  await sms.inbound('+905559990001', 'STOP')
  await idle(app)
}

/** What an e-mail answers is looked for in the same way whatever account it is of. */
async function thread({ deps }: TestApp, organizationId: string, own: OwnIds): Promise<void> {
  const [account, conversation] = [localId('ChannelAccount', own.ChannelAccount), localId('Conversation', own.Conversation)].map(
    present,
  ) as [string, string]
  const address = { name: null, address: 'someone@example.com' }
  const { parents } = await emailParents(
    deps,
    deps.db,
    { id: account, organizationId },
    { references: ['m1', 'm2', 'm3', 'm4'], to: [address], cc: [], deliveredTo: [] },
  )
  if (parents.length === 0) throw new Error('the e-mails that are answered were to be found')
  await replySubject(deps.db, conversation)
}

/** Somebody whom a message has just made, and the customer with the longest conversation. */
async function mergeAndPart(app: TestApp, { sms, token, ask }: TestOrganization, own: OwnIds): Promise<void> {
  await sms.inbound('+905559990002', 'is somebody else')
  const { customers } = await ask(generated.CustomersDocument, { search: '+905559990002' })
  const input = { survivorId: present(customers.nodes[0]).id, mergedId: own.Customer }
  const merge = dataOf(
    await app.request<{ mergeCustomers: { merge: { id: string } } }, object>(
      'mutation ($input: MergeCustomersInput!) { mergeCustomers(input: $input) { ... on MergeCustomersSuccess { merge { id } } } }',
      { input },
      token,
    ),
  ).mergeCustomers.merge
  for (const { document, operation } of ofStaff('query')) {
    if (/^Customer|^Consent|^Sendability/.test(operation.name.value))
      await app.request(document, { id: own.Customer, customerId: own.Customer }, token)
  }
  await app.request(generated.ConversationThreadDocument, { id: own.Conversation }, token)
  await app.request(generated.UnmergeCustomersDocument, { input: { mergeId: merge.id } }, token)
}

const idle = ({ deps }: TestApp): Promise<void> =>
  eventually(async () => {
    const { rows } = await deps.pool.query<{ task: string }>(
      'SELECT task_identifier AS task FROM graphile_worker.jobs WHERE run_at <= now() AND attempts < 2',
    )
    if (rows.length > 0) throw new Error(`jobs are not done: ${rows.map(({ task }) => task).join(', ')}`)
  })

/** One id of each type; of the customer with the longest conversation, and of an appointment that can be moved. */
async function idsOf({ deps }: TestApp, organizationId: string): Promise<OwnIds> {
  const first = async (table: string, condition: string, order: string): Promise<Record<string, string>> => {
    const { rows } = await deps.pool.query<Record<string, string>>(
      `SELECT * FROM ${table} WHERE ${table === 'organization' ? 'id' : 'organization_id'} = $1 AND ${condition} ORDER BY ${order} LIMIT 1`,
      [organizationId],
    )
    return rows[0] ?? {}
  }
  const ids = new Map<string, string | undefined>()
  for (const [type, table] of Object.entries(nodeTables)) ids.set(type, (await first(table, 'true', 'id')).id)
  const longest = await first('conversation', 'true', 'inbound_count + outbound_count DESC')
  ids.set('Conversation', longest.id).set('Customer', longest.customer_id).set('Communication', longest.last_communication_id)
  ids.set('Appointment', (await first('appointment', `status = 'BOOKED'`, 'starts_at DESC')).id)
  return Object.fromEntries([...ids].map(([type, id]) => [type, globalId(type as NodeType, present(id))])) as OwnIds
}
