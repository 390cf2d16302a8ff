import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  CreateTemplateDocument,
  type CreateTemplateInput,
  CustomerWorkspaceDocument,
  DeleteTemplateDocument,
  InboxDocument,
  PreviewTemplateDocument,
  SendMessageDocument,
  TemplatesDocument,
  UpdateTemplateDocument,
  type UpdateTemplateInput,
} from '../generated/graphql.ts'
import { startTestApp, type TestApp } from '../support/app.ts'
import { openOrganization, type TestOrganization } from '../support/organization.ts'
import { member, present } from '../support/result.ts'

let app: TestApp
let org: TestOrganization
let customerId: string

beforeAll(async () => {
  app = await startTestApp()
  org = await openOrganization(app, { slug: 'templates', name: 'City Hall' })
  await org.sms.inbound('+905551112233', 'hello')
  await org.whatsapp.inbound('+905551112233', 'hello', { ProfileName: 'Ada Lovelace' })
  customerId = present((await org.ask(InboxDocument)).conversations.nodes[0]).customer.id
})
afterAll(() => app?.close())

let names = 0
const create = async (input: Partial<CreateTemplateInput> & { body: string }) =>
  member(
    (await org.ask(CreateTemplateDocument, { input: { name: `template ${names++}`, ...input } })).createTemplate,
    'CreateTemplateSuccess',
  ).template
const update = async (input: UpdateTemplateInput) =>
  member((await org.ask(UpdateTemplateDocument, { input })).updateTemplate, 'UpdateTemplateSuccess').template
const preview = async (id: string, variables?: unknown) =>
  present((await org.ask(PreviewTemplateDocument, { id, customerId, variables })).template).preview
const send = async (templateId: string, variables?: unknown) =>
  (
    await org.ask(SendMessageDocument, {
      input: { to: { customerId }, channel: 'SMS', content: { template: { templateId, variables } } },
    })
  ).sendMessage

test('a template lists its variables in the order of their first use', async () => {
  const { id, ...template } = await create({ name: 'permit', body: 'Dear {{customer_name}}, {{ item }} and {{customer_name}}: {{city}}.' })
  expect(template).toMatchObject({ name: 'permit', channel: null, variables: ['customer_name', 'item', 'city'] })
  const { templates } = await org.ask(TemplatesDocument)
  expect(templates.nodes.find((node) => node.id === id)).toMatchObject({ language: 'en', purpose: 'GENERAL', subject: null })
})

test('a list by channel holds those for it and those for every channel', async () => {
  const everywhere = await create({ body: 'every channel' })
  const sms = await create({ body: 'sms', channel: 'SMS' })
  const whatsapp = await create({ body: 'whatsapp', channel: 'WHATSAPP', language: 'en_US', purpose: 'UTILITY' })
  const listed = async (channel?: 'SMS' | 'WHATSAPP') => {
    const { templates } = await org.ask(TemplatesDocument, { channel, first: 100 })
    return [everywhere, sms, whatsapp].map(({ id }) => templates.nodes.some((node) => node.id === id))
  }
  expect(await listed()).toEqual([true, true, true])
  expect(await listed('SMS')).toEqual([true, true, false])
  expect(await listed('WHATSAPP')).toEqual([true, false, true])
  const { templates } = await org.ask(TemplatesDocument, { first: 100 })
  expect(templates.nodes.find(({ id }) => id === whatsapp.id)).toMatchObject({ language: 'en-US', purpose: 'UTILITY' })
})

test('a preview fills in what is known and names what is missing', async () => {
  const { id } = await create({
    subject: 'For {{customer_first_name}}',
    body: '{{customer_name}} / {{agent_name}} / {{organization_name}} / {{item}} / {{count}}',
  })
  expect(await preview(id)).toEqual({
    subject: 'For Ada',
    body: 'Ada Lovelace / Tess Ter / City Hall / {{item}} / {{count}}',
    missingVariables: ['item', 'count'],
  })
  expect(await preview(id, { item: 'your permit & <b>stamp</b>', count: 3, customer_name: 'Countess' })).toEqual({
    subject: 'For Ada',
    body: 'Countess / Tess Ter / City Hall / your permit & <b>stamp</b> / 3',
    missingVariables: [],
  })
})

test('a value that looks like a variable is not filled in again', async () => {
  const { id } = await create({ body: '{{item}}' })
  expect(await preview(id, { item: '{{customer_name}} {{{agent_name}}}' })).toMatchObject({ body: '{{customer_name}} {{{agent_name}}}' })
})

test('a send with missing variables is refused and names them; with all of them it reads like the preview', async () => {
  const { id } = await create({ subject: 'About {{item}}', body: 'Hello {{customer_first_name}}, {{item}} is ready at {{place}}.' })
  expect(member(await send(id, { item: 'it' }), 'ValidationError')).toMatchObject({
    message: expect.stringContaining('place'),
    path: ['input', 'content', 'template', 'variables'],
  })
  const variables = { item: 'your permit', place: 'desk 4' }
  const seen = present(await preview(id, variables))
  const { communication } = member(await send(id, variables), 'SendMessageSuccess')
  expect(communication).toMatchObject({ body: 'Hello Ada, your permit is ready at desk 4.', subject: 'About your permit' })
  expect([communication.subject, communication.body]).toEqual([seen.subject, seen.body])
})

test('a template for another channel is not sent', async () => {
  const { id } = await create({ body: 'only there', channel: 'WHATSAPP' })
  expect(member(await send(id), 'ValidationError').path).toEqual(['input', 'content', 'template', 'templateId'])
})

test('an update changes what is given, removes what is null, and leaves the rest', async () => {
  const { id, name } = await create({ body: 'before {{a}}', channel: 'SMS', subject: 'subject' })
  expect(await update({ templateId: id, body: 'after {{b}}' })).toEqual(
    expect.objectContaining({ name, channel: 'SMS', body: 'after {{b}}', variables: ['b'] }),
  )
  expect(await update({ templateId: id, channel: null, name: 'renamed' })).toMatchObject({
    name: 'renamed',
    channel: null,
    body: 'after {{b}}',
  })
  expect((await update({ templateId: id, name: 'renamed', language: 'tr' })).name).toBe('renamed')
})

test('a deleted template is gone, what was sent with it stays', async () => {
  const { id } = await create({ body: 'will stay' })
  member(await send(id), 'SendMessageSuccess')
  expect(
    member((await org.ask(DeleteTemplateDocument, { input: { templateId: id } })).deleteTemplate, 'DeleteTemplateSuccess').templateId,
  ).toBe(id)
  expect((await org.ask(PreviewTemplateDocument, { id, customerId })).template).toBeNull()
  expect(member(await send(id), 'NotFoundError').path).toEqual(['input', 'content', 'template', 'templateId'])
  const { customer } = await org.ask(CustomerWorkspaceDocument, { id: customerId, filter: { search: 'will stay' } })
  expect(customer?.communications.nodes).toHaveLength(1)
})

const HTML_TEMPLATE = `mutation ($input: CreateTemplateInput!) { createTemplate(input: $input) { __typename
  ... on CreateTemplateSuccess { template { id html variables status channelAccount { id } } } ... on UserError { message path } } }`
const HTML_PREVIEW = `query ($id: ID!, $customerId: ID!, $variables: JSON) {
  template(id: $id) { preview(customerId: $customerId, variables: $variables) { html missingVariables } } }`
type HtmlTemplate = { __typename: string; template: { id: string; html: string; variables: string[]; status: null; channelAccount: null } }

test('the HTML of an e-mail is sanitized when it is saved, and values cannot bring what was taken out', async () => {
  const html = '<p onclick="x()">Dear {{customer_name}}<script>alert(1)</script></p><a href="{{link}}">{{{item}}}</a><form><input></form>'
  const input = { name: 'html', channel: 'EMAIL', body: 'Dear {{customer_name}}', html }
  const { createTemplate } = await org.ask<{ createTemplate: HtmlTemplate }, object>(HTML_TEMPLATE, { input })
  const { template } = createTemplate
  expect(template).toMatchObject({ variables: ['customer_name', 'link', 'item'], status: null, channelAccount: null })
  expect(template.html).not.toMatch(/script|onclick|form|input/)
  const shown = async (variables: object) =>
    present(
      (
        await org.ask<{ template: { preview: { html: string; missingVariables: string[] } } }, object>(HTML_PREVIEW, {
          id: template.id,
          customerId,
          variables,
        })
      ).template,
    ).preview
  const good = await shown({ link: 'https://example.com/?a=1&b=2', item: '<b onclick=x>permit & stamp</b>' })
  expect(good.html).toContain('Dear Ada Lovelace')
  expect(good.html).toContain('href="https://example.com/?a=1&amp;b=2"')
  expect(good.html).toContain('&lt;b onclick=x&gt;permit &amp; stamp&lt;/b&gt;')
  const bad = await shown({ link: 'javascript:alert(1)', item: '"><script>alert(1)</script>' })
  expect(bad.html).not.toMatch(/javascript:|<script/)
  expect((await shown({})).missingVariables).toEqual(['link', 'item'])
})

test('HTML is for e-mails, and its variables are checked', async () => {
  const create = async (input: object) =>
    (
      await org.ask<{ createTemplate: { __typename: string; message: string; path: string[] } }, object>(HTML_TEMPLATE, {
        input: { name: `html ${names++}`, body: 'x', ...input },
      })
    ).createTemplate
  const wrong = { __typename: 'ValidationError', path: ['input', 'html'] }
  expect(await create({ channel: 'SMS', html: '<p>x</p>' })).toMatchObject(wrong)
  expect(await create({ html: '<p>{{#each}}</p>' })).toMatchObject(wrong)
  expect(await create({ html: `<p>${'x'.repeat(200_000)}</p>` })).toMatchObject(wrong)
  expect(await create({ html: '<script>x</script>' })).toMatchObject({ template: { html: null } })
  const { id } = ((await create({ channel: 'EMAIL', html: '<p>x</p>' })) as unknown as HtmlTemplate).template
  expect(
    member((await org.ask(UpdateTemplateDocument, { input: { templateId: id, channel: 'SMS' } })).updateTemplate, 'ValidationError').path,
  ).toEqual(['input', 'html'])
  expect((await update({ templateId: id, channel: 'SMS', html: null })).channel).toBe('SMS')
})
