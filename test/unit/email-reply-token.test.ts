import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { accountAddresses } from '../../src/channels/sendgrid/address.ts'
import { withInlineImages } from '../../src/domain/email-message.ts'
import { conversationOfReplyToken, withReplyToken } from '../../src/domain/email-reply-token.ts'

const keys = { ENCRYPTION_KEY: [Buffer.alloc(32, 1)] }
const address = 'desk@example.org'

describe('reply tokens', () => {
  test('name the conversation of an organization, in any case of letters', () => {
    fc.assert(
      fc.property(fc.uuid(), fc.uuid(), (organizationId, conversationId) => {
        const tokened = withReplyToken(keys, address, organizationId, conversationId)
        expect(tokened).toMatch(/^desk\+[0-9a-z]{38}@example\.org$/)
        expect(conversationOfReplyToken(keys, tokened, organizationId)).toBe(conversationId)
        expect(conversationOfReplyToken(keys, tokened.toUpperCase(), organizationId)).toBe(conversationId)
        expect(accountAddresses([tokened])).toEqual([tokened, address])
      }),
    )
  })

  test('are nothing in another organization, under another key, or with anything changed', () => {
    const [organizationId, conversationId] = [randomUUID(), randomUUID()]
    const tokened = withReplyToken(keys, address, organizationId, conversationId)
    expect(conversationOfReplyToken(keys, tokened, randomUUID())).toBeNull()
    expect(conversationOfReplyToken({ ENCRYPTION_KEY: [Buffer.alloc(32, 2)] }, tokened, organizationId)).toBeNull()
    for (let at = 5; at < 43; at++) {
      const changed = tokened.slice(0, at) + (tokened[at] === 'a' ? 'b' : 'a') + tokened.slice(at + 1)
      expect(conversationOfReplyToken(keys, changed, organizationId)).toBeNull()
    }
  })

  test('stay good when keys are rotated', () => {
    const [organizationId, conversationId] = [randomUUID(), randomUUID()]
    const tokened = withReplyToken(keys, address, organizationId, conversationId)
    expect(conversationOfReplyToken({ ENCRYPTION_KEY: [Buffer.alloc(32, 2), ...keys.ENCRYPTION_KEY] }, tokened, organizationId)).toBe(
      conversationId,
    )
  })

  test('an address without room for one stays as it is', () => {
    const [id, long] = [randomUUID(), `${'a'.repeat(26)}@example.org`]
    expect(withReplyToken(keys, long, id, id)).toBe(long)
    expect(withReplyToken(keys, long.slice(1), id, id).split('@')[0]).toHaveLength(64)
  })

  test('what is none is none', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.stringMatching(/^desk\+[0-9a-z]{38}@example\.org$/),
          fc.constantFrom(address, 'desk+x@example.org', `desk+${'z'.repeat(38)}@example.org`),
        ),
        (text) => {
          expect(conversationOfReplyToken(keys, text, 'organization')).toBeNull()
        },
      ),
    )
  })
})

describe('pictures of an e-mail', () => {
  const urls = new Map([
    ['a@b', '/attachments/1?token=x&y="z"'],
    ['ü&<c>', '/attachments/2'],
  ])
  test('are shown by the links of their files', () => {
    expect(withInlineImages('<img src="cid:a@b"><img src="cid:%C3%BC&amp;&lt;c&gt;">', urls)).toBe(
      '<img src="/attachments/1?token=x&amp;y=&quot;z&quot;"><img src="/attachments/2">',
    )
  })
  test('others stay', () => {
    for (const html of [
      '<img src="cid:unknown">',
      '<img src="https://example.com/cid:a@b">',
      '<p>src=cid:a@b</p>',
      '<img src="cid:%">',
      '',
    ])
      expect(withInlineImages(html, urls)).toBe(html)
  })
})
