import { describe, expect, test } from 'vitest'
import type { Fact, Identity } from '../../src/channels/fact.ts'
import { createMetaWire } from '../../src/channels/meta/wire.ts'

const wire = createMetaWire({
  appId: null,
  appSecret: 'secret',
  verifyToken: null,
  graphUrl: 'https://graph.facebook.com',
  version: 'v26.0',
  timeoutMs: 1000,
})

const identity = (value: string): Identity => ({ kind: value.startsWith('+') ? 'PHONE' : 'WHATSAPP', scope: '', value, verified: true })

const read = (body: string): ReturnType<typeof wire.parse> =>
  wire.parse('', { method: 'POST', url: 'https://inbox.test/webhooks/meta', headers: {}, body: Buffer.from(body) })

const SENDER = { contacts: [{ profile: { name: 'Ada' }, wa_id: '16505551234', user_id: 'US.1' }] }

async function factsOf(value: object, field = 'messages', entry: object = {}): Promise<Fact[]> {
  const body = {
    object: 'whatsapp_business_account',
    entry: [{ id: '1', ...entry, changes: [{ field, value: { metadata: { phone_number_id: '2' }, ...value } }] }],
  }
  return (await read(JSON.stringify(body))).flatMap(({ facts }) => facts)
}

const inbound = (item: object): Promise<Fact[]> =>
  factsOf({ ...SENDER, messages: [{ from: '16505551234', id: 'wamid.1', timestamp: '1750000000', ...item }] })

const at = new Date(1_750_000_000_000)

describe('WhatsApp webhooks that nobody has recorded', () => {
  test('an edit changes the message that it names', async () => {
    const edit = (part: object) => ({ type: 'edit', edit: { original_message_id: 'wamid.0', message: part } })
    expect(await inbound(edit({ type: 'text', text: { body: 'better' } }))).toEqual([
      { kind: 'edit', externalMessageId: 'wamid.0', revision: 'wamid.1', body: 'better', content: { kind: 'TEXT' }, at },
    ])
    expect(await inbound(edit({ type: 'image', image: { caption: 'new', id: '9', mime_type: 'image/png' } }))).toMatchObject([
      { kind: 'edit', externalMessageId: 'wamid.0', body: 'new', content: { kind: 'MEDIA', media: 'IMAGE', caption: 'new' } },
    ])
    expect(await inbound({ type: 'edit', edit: {} })).toMatchObject([{ kind: 'unknown' }])
  })

  test('a new user id is one of the same customer', async () => {
    const system = { type: 'user_changed_user_id', body: 'User Ada changed from US.1 to US.2', user_id: 'US.2', parent_user_id: 'US.ENT.3' }
    const change = {
      kind: 'identity-change',
      from: identity('US.1'),
      to: [identity('US.2'), identity('US.ENT.3')],
      address: 'US.2',
      note: system.body,
      at,
    }
    expect(await inbound({ from: undefined, type: 'system', system })).toEqual([change])
    expect(await inbound({ from: undefined, from_user_id: 'US.1', type: 'system', system: { ...system, body: 'changed' } })).toMatchObject([
      { from: identity('US.1'), address: 'US.2' },
    ])
    const update = { user_id: { previous: 'US.1', current: 'US.2' }, parent_user_id: { current: 'US.ENT.3' }, timestamp: 1_750_000_000 }
    expect(await factsOf({ user_id_update: [{ ...update, detail: system.body }] }, 'user_id_update')).toEqual([change])
  })

  test('a new device is noted on the customer', async () => {
    const system = { type: 'customer_identity_changed', body: 'Ada changed phones' }
    expect(await inbound({ type: 'system', system })).toEqual([
      {
        kind: 'identity-change',
        from: identity('+16505551234'),
        to: [identity('+16505551234')],
        address: '+16505551234',
        note: system.body,
        at,
      },
    ])
    expect(await inbound({ type: 'system', system: { type: 'something_else' } })).toMatchObject([{ kind: 'unknown' }])
  })

  test('an echo is a message of the business', async () => {
    const echo = { from: '15550783881', to: '16505551234', id: 'wamid.1', timestamp: '1750000000', type: 'text', text: { body: 'STOP' } }
    expect(await factsOf({ ...SENDER, message_echoes: [echo] }, 'smb_message_echoes')).toMatchObject([
      { kind: 'message', direction: 'OUTBOUND', address: '+16505551234', profileName: 'Ada', body: 'STOP', consent: null },
    ])
    const revoke = { ...echo, type: 'revoke', revoke: { original_message_id: 'wamid.0' } }
    expect(await factsOf({ message_echoes: [revoke] }, 'smb_message_echoes')).toEqual([
      { kind: 'revoke', externalMessageId: 'wamid.0', at },
    ])
  })

  test.each([
    ['STOP', { state: 'OPTED_OUT', source: 'KEYWORD' }],
    [' start ', { state: 'OPTED_IN', source: 'KEYWORD' }],
    ['please stop', null],
  ])('the text %j says about consent %j', async (body, consent) => {
    expect(await inbound({ type: 'text', text: { body } })).toMatchObject([{ kind: 'message', consent }])
  })

  test.each(['Cancel', 'Yes', 'End'])('the template button %j is an answer, and no word about consent', async (text) => {
    expect(await inbound({ type: 'button', button: { text, payload: '1' } })).toMatchObject([{ body: text, consent: null }])
  })

  test.each([
    ['played', '0198C2A0-0000-7000-8000-000000000001', 'READ', '0198c2a0-0000-7000-8000-000000000001'],
    ['sent', 'somebody else’s', 'SENT', null],
  ])('the status %s with the data %j', async (status, data, delivery, communicationId) => {
    const item = { id: 'wamid.1', status, timestamp: '1750000000', recipient_id: '16505551234', biz_opaque_callback_data: data }
    expect(await factsOf({ statuses: [item] })).toEqual([
      { kind: 'receipt', externalMessageId: 'wamid.1', communicationId, status: delivery, error: null },
    ])
  })

  test('a message failed because the customer stopped marketing stops marketing here too', async () => {
    const status = {
      id: 'wamid.1',
      status: 'failed',
      timestamp: '1750000000',
      recipient_user_id: 'US.1',
      errors: [{ code: 131050, title: 'x' }],
    }
    expect(await factsOf({ statuses: [status] })).toMatchObject([
      { kind: 'receipt', status: 'FAILED', error: { code: '131050', message: expect.stringContaining('stopped marketing') } },
      { kind: 'consent', identity: identity('US.1'), purposes: ['MARKETING'], state: 'OPTED_OUT', source: 'PROVIDER', at },
    ])
  })

  test('a customer who stops marketing in WhatsApp has opted out of it', async () => {
    const preference = { user_id: 'US.1', category: 'marketing_messages', value: 'stop', detail: 'stopped', timestamp: 1_750_000_000 }
    expect(await factsOf({ user_preferences: [preference] }, 'user_preferences')).toEqual([
      {
        kind: 'consent',
        identity: identity('US.1'),
        purposes: ['MARKETING'],
        state: 'OPTED_OUT',
        source: 'PROVIDER',
        evidence: 'stopped',
        at,
      },
    ])
  })

  test.each([
    [{ status: 'COMPLETED' }, 'NO_ANSWER'],
    [{ status: 'FAILED' }, 'FAILED'],
    [{ status: 'REJECTED' }, 'BUSY'],
    [{ status: 'COMPLETED', duration: 3 }, 'ANSWERED'],
    [{ status: 'COMPLETED', duration: '3' }, 'ANSWERED'],
    [{ status: 'COMPLETED', duration: 1e300 }, 'NO_ANSWER'],
  ])('a customer’s call that ended with %j: %s', async (end, outcome) => {
    const call = { id: 'wacid.1', from: '16505551234', to: '15550783881', event: 'terminate', direction: 'USER_INITIATED', ...end }
    expect(await factsOf({ calls: [call] }, 'calls')).toMatchObject([
      { kind: 'call', direction: 'INBOUND', address: '+16505551234', outcome },
    ])
  })

  test('a template’s state and quality', async () => {
    const template = { message_template_id: 1, message_template_name: 'hello', message_template_language: 'tr' }
    const base = { kind: 'template', providerTemplateId: '1', name: 'hello', language: 'tr', status: null, reason: null, quality: null }
    const paused = { ...template, event: 'PAUSED', other_info: { title: 'FIRST_PAUSE', description: 'paused for 3 hours' } }
    expect(await factsOf(paused, 'message_template_status_update')).toEqual([{ ...base, status: 'PAUSED', reason: 'paused for 3 hours' }])
    const quality = { ...template, previous_quality_score: 'GREEN', new_quality_score: 'YELLOW' }
    expect(await factsOf(quality, 'message_template_quality_update')).toEqual([{ ...base, quality: 'YELLOW' }])
    expect(await factsOf({ ...template, event: 'FLAGGED' }, 'message_template_status_update')).toEqual([base])
    for (const field of ['message_template_components_update', 'template_category_update'])
      expect(await factsOf({ ...template, new_category: 'MARKETING' }, field)).toEqual([{ ...base, outdated: true }])
  })

  test('news about a number is located by the number', async () => {
    const value = { display_phone_number: '15550783881', event: 'FLAGGED', current_limit: 'TIER_1K' }
    const body = { object: 'whatsapp_business_account', entry: [{ id: '1', changes: [{ field: 'phone_number_quality_update', value }] }] }
    expect(await read(JSON.stringify(body))).toMatchObject([
      { to: { addresses: ['+15550783881'] }, facts: [{ kind: 'account-notice', name: 'phone_number_quality_update', ok: false }] },
    ])
    expect(await factsOf({ event: 'VERIFIED_ACCOUNT' }, 'account_update')).toMatchObject([{ kind: 'account-notice', ok: true }])
  })

  test.each(['AD_ACCOUNT_LINKED', 'MM_LITE_TERMS_SIGNED', 'VOLUME_BASED_PRICING_TIER_UPDATE', 'AUTH_INTL_PRICE_ELIGIBILITY_UPDATE'])(
    '%s alarms nobody, and lifts no restriction',
    async (event) => {
      expect(await factsOf({ event }, 'account_update')).toMatchObject([{ kind: 'unknown', reason: expect.stringContaining(event) }])
    },
  )

  test('the verification of the business by a partner', async () => {
    const news = (status: string, ...rejection_reasons: string[]) =>
      factsOf(
        {
          event: 'PARTNER_CLIENT_CERTIFICATION_STATUS_UPDATE',
          partner_client_certification_info: { client_business_id: '7', status, rejection_reasons },
        },
        'account_update',
      )
    expect(await news('APPROVED', 'NONE')).toMatchObject([{ kind: 'unknown' }])
    expect(await news('FAILED', 'WEBSITE NOT MATCHING')).toMatchObject([
      {
        kind: 'account-notice',
        ok: false,
        message: 'Meta has not verified this business. WEBSITE NOT MATCHING Look at the account in WhatsApp Manager.',
      },
    ])
  })

  test('an alert says in Meta’s words what to do', async () => {
    const alert = (alert_severity: string, alert_type: string, alert_status = 'ACTIVE') =>
      factsOf(
        {
          entity_type: 'PHONE_NUMBER',
          entity_id: '2',
          alert_info: { alert_severity, alert_status, alert_type, alert_description: 'Upload it again.' },
        },
        'account_alerts',
      )
    expect(await alert('WARNING', 'PROFILE_PICTURE_LOST')).toMatchObject([
      {
        kind: 'account-notice',
        name: 'account_alerts',
        ok: false,
        message: 'The picture of the number’s business profile was removed. Upload it again. Look at the account in WhatsApp Manager.',
      },
    ])
    expect(await alert('WARNING', 'PROFILE_PICTURE_LOST', 'RESOLVED')).toMatchObject([{ kind: 'account-notice', ok: true }])
    expect(await alert('INFORMATIONAL', 'OBA_APPROVED')).toMatchObject([{ kind: 'unknown' }])
  })

  test('the history of a number is no news: neither its threads nor the files that follow', async () => {
    const image = {
      from: '16505551234',
      id: 'wamid.old',
      timestamp: '1738796547',
      type: 'image',
      image: { id: '9', mime_type: 'image/jpeg' },
    }
    const text = { from: '15550783881', id: 'wamid.1', timestamp: '1739230955', type: 'text', text: { body: 'hi' } }
    const threads = [{ id: '16505551234', messages: [{ ...text, history_context: { status: 'READ' } }] }]
    for (const value of [{ messages: [image] }, { messages: [{ ...image, from: '15550783881' }] }, { history: [{ threads }] }])
      expect(await factsOf(value, 'history')).toMatchObject([{ kind: 'unknown', reason: expect.stringContaining('history') }])
  })

  test('a payment that failed is not a message that failed', async () => {
    const status = { id: 'wamid.1', type: 'payment', status: 'failed', payment: { reference_id: 'r' } }
    expect(await factsOf({ statuses: [status] })).toMatchObject([{ kind: 'unknown' }])
  })

  test('what is unknown is kept whole', async () => {
    expect(await inbound({ type: 'hologram', hologram: { id: 7 } })).toMatchObject([
      { kind: 'message', body: '', content: { kind: 'UNSUPPORTED', type: 'hologram', raw: { hologram: { id: 7 } } } },
    ])
    expect(await inbound({ type: 'interactive', interactive: { type: 'call_permission_reply' } })).toMatchObject([
      { content: { kind: 'UNSUPPORTED', type: 'interactive/call_permission_reply' } },
    ])
    expect(await inbound({ type: 'unsupported', errors: [{ code: 131051 }], unsupported: { type: 'poll_creation' } })).toMatchObject([
      { content: { kind: 'UNSUPPORTED', type: 'unsupported/poll_creation', raw: { errors: [{ code: 131051 }] } } },
    ])
    expect(await inbound({ type: 'location', location: { latitude: 'north', longitude: 4 } })).toMatchObject([
      { content: { kind: 'UNSUPPORTED' } },
    ])
    expect(await factsOf({ history: [] }, 'history')).toMatchObject([{ kind: 'unknown', reason: expect.stringContaining('history') }])
  })

  test('ids of a contact who is somebody else are not taken over', async () => {
    const [fact] = await factsOf({
      contacts: [{ profile: { name: 'Grace' }, wa_id: '16505559999', user_id: 'US.9' }],
      messages: [{ from: '16505551234', id: 'wamid.1', type: 'text', text: { body: 'hi' } }],
    })
    expect(fact).toMatchObject({ identities: [identity('+16505551234')], profileName: 'Grace' })
  })
})
