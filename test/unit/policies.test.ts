import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Capabilities } from '../../src/channels/channel.ts'
import { UserError } from '../../src/domain/errors.ts'
import { approvalOf, checkMessage, type Message, messagingWindow, permission, type Standing } from '../../src/domain/policies.ts'

const HOUR = 3_600_000
const NOW = new Date('2026-11-21T12:00:00Z')
const ago = (hours: number) => new Date(NOW.getTime() - hours * HOUR)

const sms: Capabilities = {
  textLimit: 1600,
  textLimitUnit: 'CHARACTERS',
  messagingWindowHours: null,
  humanAgentHours: null,
  businessInitiated: true,
  templatesNeedApproval: false,
  content: ['TEXT', 'TEMPLATE'],
  media: {},
  maxAttachments: 0,
  interactive: null,
  quotedReplies: false,
  messagesPerSecond: null,
  inbound: true,
  deliveryReceipts: true,
  readReceipts: true,
}
const whatsapp: Capabilities = { ...sms, messagingWindowHours: 24, templatesNeedApproval: true }
const messenger: Capabilities = { ...sms, messagingWindowHours: 24, humanAgentHours: 168, businessInitiated: false, content: ['TEXT'] }

/** The customer wrote so many hours ago (null: never). */
const standing = (capabilities: Capabilities, hours: number | null, more: Partial<Standing> = {}): Standing => ({
  capabilities,
  accountActive: true,
  hasAddress: true,
  hasOptedOut: false,
  window:
    hours === null
      ? { windowExpiresAt: null, windowReason: null, lastInboundAt: null }
      : { windowExpiresAt: new Date(ago(hours).getTime() + 24 * HOUR), windowReason: 'CUSTOMER_MESSAGE', lastInboundAt: ago(hours) },
  ...more,
})

const text: Message = { content: { kind: 'TEXT' }, body: 'Hello', files: [], quotes: false, path: [], template: null, byPerson: true }
const automated: Message = { ...text, byPerson: false }
const withTemplate = (approval: 'APPROVED' | 'OURS' | 'MISSING'): Message => ({
  ...automated,
  content: { kind: 'TEMPLATE', name: 't', language: 'en', variables: {} },
  template: { approval, status: approval === 'MISSING' ? 'PAUSED' : null },
})

/** SENT, AGENT (with the tag of a human agent) or the code of the refusal. */
function verdict(given: Standing, message: Message, at = NOW): string {
  try {
    return checkMessage(given, message, at).humanAgent ? 'AGENT' : 'SENT'
  } catch (error) {
    if (error instanceof UserError) return error.code
    throw error
  }
}

describe('who may write when', () => {
  const CLOSED = 'MESSAGING_WINDOW_CLOSED'
  test.each([
    ['SMS, never wrote', standing(sms, null), ['SENT', 'SENT', 'SENT', 'SENT']],
    ['SMS, long ago', standing(sms, 9000), ['SENT', 'SENT', 'SENT', 'SENT']],
    ['WhatsApp, never wrote', standing(whatsapp, null), [CLOSED, CLOSED, 'SENT', CLOSED]],
    ['WhatsApp, an hour ago', standing(whatsapp, 1), ['SENT', 'SENT', 'SENT', 'SENT']],
    ['WhatsApp, at the last moment', standing(whatsapp, 23.999), ['SENT', 'SENT', 'SENT', 'SENT']],
    ['WhatsApp, a day ago', standing(whatsapp, 24), [CLOSED, CLOSED, 'SENT', CLOSED]],
    ['Messenger, never wrote', standing(messenger, null), [CLOSED, CLOSED, CLOSED, CLOSED]],
    ['Messenger, an hour ago: no tag within the window', standing(messenger, 1), ['SENT', 'SENT', 'CONTENT_NOT_SUPPORTED', 'SENT']],
    ['Messenger, a day ago: only people, with the tag', standing(messenger, 24), ['AGENT', CLOSED, CLOSED, CLOSED]],
    ['Messenger, at the last moment of the week', standing(messenger, 167.999), ['AGENT', CLOSED, CLOSED, CLOSED]],
    ['Messenger, a week ago', standing(messenger, 168), [CLOSED, CLOSED, CLOSED, CLOSED]],
    ['opted out', standing(sms, 1, { hasOptedOut: true }), Array(4).fill('RECIPIENT_OPTED_OUT')],
    ['account not active', standing(sms, 1, { accountActive: false }), Array(4).fill('CHANNEL_NOT_CONNECTED')],
    [
      'not active and opted out: what the business has to do comes first',
      standing(sms, 1, { accountActive: false, hasOptedOut: true }),
      Array(4).fill('CHANNEL_NOT_CONNECTED'),
    ],
  ])('%s: a person, a program, an approved template, one of ours', (_what, given, expected) => {
    expect([text, automated, withTemplate('APPROVED'), withTemplate('OURS')].map((message) => verdict(given, message))).toEqual(expected)
  })

  test('an advertisement that was clicked keeps the window open for longer', () => {
    const window = { windowExpiresAt: new Date(NOW.getTime() + 72 * HOUR), windowReason: 'AD_REFERRAL', lastInboundAt: ago(96) } as const
    const given = standing(messenger, 96, { window })
    expect(verdict(given, automated)).toBe('SENT')
    expect(messagingWindow(messenger, window, NOW)).toEqual({
      isOpen: true,
      expiresAt: window.windowExpiresAt,
      reason: 'AD_REFERRAL',
      humanAgentUntil: new Date(NOW.getTime() + 72 * HOUR),
    })
  })

  test('a template that the provider has not approved is refused everywhere', () => {
    for (const given of [standing(sms, 1), standing(whatsapp, 1), standing(whatsapp, 99)])
      expect(verdict(given, withTemplate('MISSING'))).toBe('TEMPLATE_NOT_APPROVED')
  })

  test.each([
    [{ channelAccountId: null, providerTemplateId: null, status: null }, 'OURS'],
    [{ channelAccountId: null, providerTemplateId: 'HX1', status: null }, 'APPROVED'],
    [{ channelAccountId: null, providerTemplateId: 'HX1', status: 'REJECTED' }, 'MISSING'],
    [{ channelAccountId: 'a', providerTemplateId: 'HX1', status: 'APPROVED' }, 'APPROVED'],
    [{ channelAccountId: 'a', providerTemplateId: 'HX1', status: null }, 'MISSING'],
    [{ channelAccountId: 'a', providerTemplateId: 'HX1', status: 'PENDING' }, 'MISSING'],
    [{ channelAccountId: 'a', providerTemplateId: 'HX1', status: 'PAUSED' }, 'MISSING'],
    [{ channelAccountId: 'a', providerTemplateId: null, status: 'APPROVED' }, 'MISSING'],
  ] as const)('%j is %s', (template, approval) => {
    expect(approvalOf(template)).toBe(approval)
  })

  test.each([
    [
      standing(whatsapp, null),
      automated,
      'The customer has not written on this channel yet. Only an approved template can start the conversation.',
    ],
    [
      standing(whatsapp, 30),
      automated,
      "More than 24 hours have passed since the customer's last message. Only an approved template can be sent now.",
    ],
    [
      standing(messenger, 30),
      automated,
      "More than 24 hours have passed since the customer's last message. Only a person on the staff can answer now, at once and in person.",
    ],
    [
      standing(messenger, 300),
      text,
      "More than 24 hours have passed since the customer's last message. Nothing can be sent until they write.",
    ],
  ])('the refusal says what can be done (%#)', (given, message, sentence) => {
    expect(() => checkMessage(given, message, NOW)).toThrow(sentence)
  })
})

describe('the size of a whole message', () => {
  const file = (size: number) => ({ media: 'IMAGE' as const, contentType: 'image/png', size, path: ['files'] })
  const carrying = (maxMessage: Capabilities['maxMessage']): Standing => {
    const own = { content: ['MEDIA'], media: { IMAGE: { maxBytes: 900, types: [] } }, maxAttachments: 10, maxMessage } as const
    return standing({ ...sms, ...own }, 1)
  }
  const picture = (sizes: number[], more: Partial<Message> = {}): Message => {
    const content = { kind: 'MEDIA', media: 'IMAGE', caption: null } as const
    return { ...text, content, body: 'é', files: sizes.map(file), ...more }
  }
  test.each([
    ['files that fit, with two bytes of text', { bytes: 1000, base64: false }, picture([500, 498]), 'SENT'],
    ['a byte more', { bytes: 1000, base64: false }, picture([500, 499]), 'ATTACHMENT_TOO_LARGE'],
    ['base64 counts four thirds', { bytes: 1000, base64: true }, picture([747]), 'SENT'],
    ['and fills up its last four', { bytes: 1000, base64: true }, picture([748, 1]), 'ATTACHMENT_TOO_LARGE'],
    ['HTML counts too', { bytes: 1000, base64: true }, picture([747], { htmlBytes: 3 }), 'ATTACHMENT_TOO_LARGE'],
    ['without such a limit, only each file has one', undefined, picture([900, 900]), 'SENT'],
  ] as const)('%s', (_what, maxMessage, message, expected) => {
    expect(verdict(carrying(maxMessage), message)).toBe(expected)
  })
})

const hours = fc.option(fc.integer({ min: 0, max: 400 }), { nil: null })
const capabilities = fc.record({
  messagingWindowHours: fc.constantFrom(null, 24, 72),
  humanAgentHours: fc.constantFrom(null, 168),
  businessInitiated: fc.boolean(),
  templatesNeedApproval: fc.boolean(),
})
const anyStanding = fc
  .record({ capabilities, wrote: hours, opens: hours, accountActive: fc.boolean(), hasAddress: fc.boolean(), hasOptedOut: fc.boolean() })
  .map(({ capabilities: own, wrote, opens, ...flags }) =>
    standing({ ...sms, ...own }, null, {
      ...flags,
      window: {
        lastInboundAt: wrote === null ? null : ago(wrote),
        windowExpiresAt: wrote === null || opens === null ? null : new Date(ago(wrote).getTime() + opens * HOUR),
        windowReason: null,
      },
    }),
  )

test('what is permitted is what passes: for every state, of every kind of message', () => {
  fc.assert(
    fc.property(anyStanding, (given) => {
      const allowed = permission(given, NOW)
      const passes = (message: Message) => ['SENT', 'AGENT'].includes(verdict(given, message))
      // A message that is checked has an address.
      if (!given.hasAddress) {
        expect(allowed).toMatchObject({ freeText: false, humanAgent: false, templates: 'NONE' })
        return
      }
      expect(passes(automated)).toBe(allowed.freeText)
      expect(passes(text)).toBe(allowed.freeText || allowed.humanAgent)
      expect(verdict(given, text) === 'AGENT').toBe(allowed.humanAgent)
      expect(passes(withTemplate('APPROVED'))).toBe(allowed.templates !== 'NONE')
      expect(passes(withTemplate('OURS'))).toBe(allowed.templates === 'ANY')
      expect(allowed.reason === null).toBe(allowed.freeText)
    }),
    { numRuns: 2000 },
  )
})

test('neither time nor silence ever opens what was closed', () => {
  fc.assert(
    fc.property(anyStanding, fc.integer({ min: 0, max: 400 }), (given, later) => {
      const then = permission(given, new Date(NOW.getTime() + later * HOUR))
      const now = permission(given, NOW)
      if (then.freeText) expect(now.freeText).toBe(true)
      if (then.humanAgent) expect(now.humanAgent || now.freeText).toBe(true)
    }),
  )
})
