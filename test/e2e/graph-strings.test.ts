import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  AddNoteDocument,
  CommunicationsQueueDocument,
  ConversationThreadDocument,
  CreateCustomerDocument,
  CreateTemplateDocument,
  CustomersDocument,
  InboxDocument,
  LogCallDocument,
  PreviewTemplateDocument,
  SendMessageDocument,
} from '../generated/graphql.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { openOrganization, type TestOrganization } from '../support/organization.ts'
import { member, present } from '../support/result.ts'

const naughty: Record<string, string> = {
  'an emoji of several': '👩‍👩‍👧‍👦 🏳️‍🌈 🇹🇷 👍🏽',
  'right to left': 'مرحبا بالعالم שלום \u202egnirts\u202c',
  'combining marks': 'Z̮̞̠͙͔ͅḀ̗̞͈̻̗Ḷ͙͎̯̹̞͓G̻O̭̗̮ e\u0301 é',
  'beyond the basic plane': '𝕳𝖊𝖑𝖑𝖔 𠜎𠜱𠝹',
  'Turkish letters': 'İıĞğŞşÇç',
  'zero width': 'a\u200bb\u200cc\u200dd\ufeffe\u2060f',
  'line and paragraph separators': 'one\u2028two\u2029three\u0085four',
  'line breaks and tabs': 'one\r\ntwo\nthree\rfour\tfive',
  'control characters': 'bell\u0007 escape\u001b[31m record\u001e unit\u001f delete\u007f',
  SQL: "Robert'); DROP TABLE communication;-- \" \\ $1 $$ /* */ E'\\x00'",
  HTML: '<script>alert("x")</script><img src=x onerror=alert(1)> &amp; &lt;',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is one of the naughty strings
  'a template’s syntax in a value': '${7*7} #{x} <%= x %> {{7*7}} {% x %}',
  'JSON and paths': '{"a":[1,"\\u0000"]} ../../etc/passwd %00 %2e%2e',
  'the words of programs': 'null undefined NaN true __proto__ constructor',
  numbers: '0 -1 1e309 ٣ ½ ①',
  'base64 and percent': 'cDE6MDFh %41 +&=?#',
  'white space around': '\u00a0 inside \u3000',
  'noncharacters and private use': '\uffff \ufdd0 \ue000 \u{10ffff}',
}
const single = [
  'null',
  'undefined',
  'NaN',
  '0',
  '-',
  '__proto__',
  'constructor',
  'hasOwnProperty',
  "'",
  '"',
  '\\',
  '{}',
  '[]',
  '<!--',
  '--',
]

let app: TestApp
let org: TestOrganization
let numbers = 0
const number = () => `+90555${String(3330000 + numbers++)}`

beforeAll(async () => {
  app = await startTestApp()
  org = await openOrganization(app, { slug: 'strings' })
})
afterAll(() => app?.close())

const rowOf = async (from: string) => present((await org.ask(InboxDocument, { filter: { search: from } })).conversations.nodes[0])
const bodies = async (id: string) => {
  const { conversation } = await org.ask(ConversationThreadDocument, { id })
  return present(conversation).communications.edges.map(({ node }) => node.body)
}
const found = async (search: string) =>
  (await org.ask(CommunicationsQueueDocument, { filter: { search }, first: 100 })).communications.nodes

/** Sends a text in by every way; gives what comes out of each. */
async function throughEverything(text: string): Promise<Record<string, string | null>> {
  const from = number()
  await org.whatsapp.inbound(from, text, { ProfileName: text.slice(0, 200) })
  const row = await rowOf(from)
  const place = { customerId: row.customer.id, conversationId: row.id }
  const note = member((await org.ask(AddNoteDocument, { input: { ...place, body: text } })).addNote, 'AddNoteSuccess').communication
  const call = await org.ask(LogCallDocument, { input: { ...place, subject: text.slice(0, 200), body: text } })
  const logged = member(call.logCall, 'LogCallSuccess').communication
  const sent = await org.ask(SendMessageDocument, { input: { to: { conversationId: row.id }, content: { text } } })
  const created = await org.ask(CreateCustomerDocument, { input: { name: text, identities: [{ kind: 'WEBCHAT', value: `v${text}` }] } })
  const { customer } = member(created.createCustomer, 'CreateCustomerSuccess')
  const template = { name: `${from} ${text}`, body: '{{value}}', subject: 'x {{value}}' }
  const made = member((await org.ask(CreateTemplateDocument, { input: template })).createTemplate, 'CreateTemplateSuccess').template
  const { template: shown } = await org.ask(PreviewTemplateDocument, {
    id: made.id,
    customerId: row.customer.id,
    variables: { value: text },
  })
  const [inbound, noted, , answer] = await bodies(row.id)
  return {
    webhook: inbound ?? null,
    'profile name': row.customer.name,
    note: note.body,
    'note in the thread': noted ?? null,
    'call subject': logged.subject,
    'call body': logged.body,
    send: member(sent.sendMessage, 'SendMessageSuccess').communication.body,
    'send in the thread': answer ?? null,
    'customer name': customer.name,
    'customer identity': present(customer.identities[0]).value.slice(1),
    'template name': made.name.slice(from.length + 1),
    'template value': shown?.preview?.body ?? null,
  }
}

describe('comes out as it went in', () => {
  test.each(Object.entries(naughty))('%s', async (_name, text) => {
    for (const [way, out] of Object.entries(await throughEverything(text))) {
      // A webchat visitor's id and a search have no white space around.
      expect(out, way).toBe(way === 'customer identity' ? text.trimEnd() : text)
    }
    const hits = (await found(text)).filter(({ body }) => body === text)
    expect(hits.length, 'search').toBeGreaterThanOrEqual(3)
    expect((await org.ask(CustomersDocument, { search: text })).customers.nodes.length, 'customers').toBeGreaterThanOrEqual(2)
  })

  test.each(single)('the word %s alone', async (text) => {
    expect(new Set(Object.values(await throughEverything(text)))).toEqual(new Set([text]))
  })

  test('a very long text', async () => {
    const text = 'uzun ğ𝕳 '.repeat(2500).slice(0, 20_000).trim()
    const from = number()
    await org.sms.inbound(from, text)
    const row = await rowOf(from)
    await org.ask(AddNoteDocument, { input: { customerId: row.customer.id, conversationId: row.id, body: text } })
    expect(await bodies(row.id)).toEqual([text, text])
    expect(row.lastCommunication?.body.length).toBe(text.length)
  })
})

describe('what PostgreSQL or UTF-8 cannot hold', () => {
  test('NUL is removed', async () => {
    expect(new Set(Object.values(await throughEverything('be\u0000fore\u0000')))).toEqual(new Set(['before']))
  })

  test('a lone surrogate becomes U+FFFD, and is found as such', async () => {
    const row = await rowOf(await hello())
    const input = { customerId: row.customer.id, conversationId: row.id, body: 'high \ud83d low \ude00 end' }
    const note = member((await org.ask(AddNoteDocument, { input })).addNote, 'AddNoteSuccess').communication
    expect(note.body).toBe('high \ufffd low \ufffd end')
    expect((await found('high \ud83d low')).map(({ id }) => id)).toEqual([note.id])
    const call = { customerId: row.customer.id, subject: 'sub\ud83d', body: 'x\ude00' }
    expect(member((await org.ask(LogCallDocument, { input: call })).logCall, 'LogCallSuccess').communication).toMatchObject({
      subject: 'sub\ufffd',
      body: 'x\ufffd',
    })
    const { createCustomer } = await org.ask(CreateCustomerDocument, { input: { name: '\ud83d' } })
    expect(member(createCustomer, 'CreateCustomerSuccess').customer.name).toBe('\ufffd')
  })

  test('bytes in a webhook that are no UTF-8 do not stop it', async () => {
    const from = number()
    await org.sms.inbound(from, 'caf\ufffd \u0000')
    expect((await rowOf(from)).lastCommunication?.body).toBe('caf\ufffd ')
  })

  test('in every argument that is text', async () => {
    const { data, errors } = await app.request(
      `query ($text: String!, $id: ID!, $json: JSON) {
         customers(search: $text) { nodes { id } } communications(filter: { search: $text }) { nodes { id } }
         conversations(filter: { search: $text }) { nodes { id } } node(id: $id) { id } customer(id: $id) { id }
         templates(first: 1) { nodes { preview(customerId: "Q3VzdG9tZXI6eA==", variables: $json) { body } } }
       }`,
      { text: '\u0000\ud83d\u0000', id: 'Q3VzdG9t\u0000ZXI6\ud83d', json: { 'a\u0000': '\u0000' } },
      org.token,
    )
    const codes = (errors ?? []).map(({ extensions }) => extensions?.code)
    expect(
      codes.filter((code) => code !== 'NOT_FOUND'),
      JSON.stringify(errors),
    ).toEqual([])
    expect(data).toMatchObject({ node: null, customer: null })
  })
})

const hello = async () => {
  const from = number()
  await org.sms.inbound(from, 'hello')
  return from
}

describe('a search', () => {
  test('takes the wildcards of LIKE and of regular expressions literally', async () => {
    const from = number()
    const texts = ['100% sure', '100 sure', 'snake_case', 'snakeXcase', 'back\\slash', 'backslash', 'dot.*star']
    for (const text of texts) await org.sms.inbound(from, text)
    const hits = async (search: string) => (await found(search)).map(({ body }) => body)
    expect(await hits('100%')).toEqual(['100% sure'])
    expect(await hits('0%s')).toEqual([])
    expect(await hits('snake_case')).toEqual(['snake_case'])
    expect(await hits('back\\slash')).toEqual(['back\\slash'])
    expect(await hits('.*')).toEqual(['dot.*star'])
    expect(await hits('SNAKE_')).toEqual(['snake_case'])
  })

  test('does so in names and addresses too', async () => {
    for (const name of ['per%cent', 'percent', 'under_score', 'underXscore', 'c:\\dir'])
      await org.ask(CreateCustomerDocument, { input: { name } })
    const hits = async (search: string) => (await org.ask(CustomersDocument, { search })).customers.nodes.map(({ name }) => name)
    expect(await hits('r%c')).toEqual(['per%cent'])
    expect(await hits('under_s')).toEqual(['under_score'])
    expect(await hits(':\\d')).toEqual(['c:\\dir'])
  })

  test('for nothing finds everything', async () => {
    const all = (await org.ask(CommunicationsQueueDocument, { first: 100 })).communications.nodes.length
    for (const search of ['', '   ', '\u0000']) expect((await found(search)).length).toBe(all)
  })
})
