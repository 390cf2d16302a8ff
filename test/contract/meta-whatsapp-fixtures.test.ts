import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { RawRequest } from '../../src/channels/channel.ts'
import type { Identity, MessageFact, ProviderError, ReceiptFact } from '../../src/channels/fact.ts'
import { createMetaWire } from '../../src/channels/meta/wire.ts'

const FOLDER = '../shared/contracts/whatsapp-cloud'
const present = existsSync(FOLDER)
if (!present) console.warn(`${FOLDER} is not here: WhatsApp's recorded webhooks are not tested`)

const wire = createMetaWire({
  appId: null,
  appSecret: 'secret',
  verifyToken: null,
  graphUrl: 'https://graph.facebook.com',
  version: 'v26.0',
  timeoutMs: 1000,
})

const identity = (value: string): Identity => ({ kind: value.startsWith('+') ? 'PHONE' : 'WHATSAPP', scope: '', value, verified: true })

/** A message as JSON has it; `identities` by their values alone, first the address. */
type Expected = Partial<Omit<MessageFact, 'identities'>> & { identities?: string[] }
const message = (externalMessageId: string, address: string, profileName: string, sentAt: string, more: Expected): object => ({
  kind: 'message',
  externalMessageId,
  direction: 'INBOUND',
  address,
  profileName,
  body: '',
  content: { kind: 'TEXT' },
  attachments: [],
  payload: null,
  inReplyTo: null,
  consent: null,
  ...more,
  identities: (more.identities ?? [address]).map(identity),
  sentAt,
})

const receipt = (externalMessageId: string, status: ReceiptFact['status'], error: ProviderError | null = null): object => ({
  kind: 'receipt',
  externalMessageId,
  communicationId: null,
  status,
  error,
})

const unknown = (reason: string): object => ({ kind: 'unknown', reason })

/** Each file's account and facts. Placeholders such as PHONE_NUMBER are no numbers, but the message is still somebody’s. */
const EXPECTED: Record<string, [account: string | null, ...facts: object[]]> = {
  'chatwoot.document_accented_filename.json': [null, unknown('a message without an id')],
  'composed.status_failed_131047.json': [
    '1122334455667',
    receipt('wamid.xyzxyz', 'FAILED', {
      code: '131047',
      message: 'More than 24 hours have passed since the customer’s last message: only an approved template can be sent now.',
    }),
  ],
  'meta.button_message.json': [
    '106540352242922',
    message('wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQzQUU0M0MxQzQzMUJCMTMwNUZFOQA=', '+16505551234', 'Sheena Nelson', '2025-06-16T16:24:05.000Z', {
      body: 'Unsubscribe',
      content: { description: null, data: null, id: 'Unsubscribe', title: 'Unsubscribe', kind: 'INTERACTIVE_REPLY', reply: 'QUICK_REPLY' },
      inReplyTo: 'wamid.HBgLMTY1MDM4Nzk0MzkVAgARGBJFNjk2OTMwNEZCQjhGMzUyQUYA',
      consent: { state: 'OPTED_OUT', source: 'KEYWORD' },
    }),
  ],
  'meta.contact_sharing_message.json': [
    '106540352242922',
    message('wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQzQTRBNjU5OUFFRTAzODEwMTQ0RgA=', '+16505551234', 'Sheena Nelson', '2025-04-11T04:08:16.000Z', {
      body: 'Lucía Gómez +1 (983) 555-2319',
      content: {
        kind: 'CONTACTS',
        contacts: [{ name: 'Lucía Gómez', organization: 'Google', phones: [{ value: '+1 (983) 555-2319', type: 'MOBILE' }], emails: [] }],
      },
    }),
  ],
  'meta.image_message.json': [
    '106540352242922',
    message('wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQzQTRBNjU5OUFFRTAzODEwMTQ0RgA=', '+16505551234', 'Sheena Nelson', '2025-04-11T04:08:16.000Z', {
      body: 'Taj Mahal',
      content: { kind: 'MEDIA', media: 'IMAGE', caption: 'Taj Mahal' },
      attachments: [{ url: 'https://graph.facebook.com/v26.0/1003383421387256', contentType: 'image/jpeg' }],
    }),
  ],
  'meta.interactive_button_reply_message.json': [
    '106540352242922',
    message('wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQzQTZBQzg0MzQ4QjRCM0NGNkVGOAA=', '+16505551234', 'Sheena Nelson', '2025-06-15T22:05:36.000Z', {
      body: 'Cancel',
      content: { description: null, data: null, id: 'cancel-button', title: 'Cancel', kind: 'INTERACTIVE_REPLY', reply: 'BUTTON' },
      inReplyTo: 'wamid.HBgLMTY1MDM4Nzk0MzkVAgARGBI3MEM2RUJFNkI0RENGQTVDRjUA',
    }),
  ],
  'meta.interactive_list_reply_message.json': [
    '106540352242922',
    message('wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQzQUJDQ0NDM0FEODY4ODkzOTc5RgA=', '+16505551234', 'Sheena Nelson', '2025-06-13T22:42:55.000Z', {
      body: 'Priority Mail Express',
      content: {
        description: 'Next Day to 2 Days',
        data: null,
        id: 'priority_express',
        title: 'Priority Mail Express',
        kind: 'INTERACTIVE_REPLY',
        reply: 'LIST',
      },
      inReplyTo: 'wamid.HBgLMTY1MDM4Nzk0MzkVAgARGBJGMzEyNzhENTZDMzNGODlDRDgA',
    }),
  ],
  'meta.location_message.json': [
    '106540352242922',
    message('wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQzQTU2MjZEMDBGRkE3MENEMDE0RQA=', '+16505551234', 'Sheena Nelson', '2025-04-11T04:08:16.000Z', {
      body: 'Philz Coffee\n101 Forest Ave, Palo Alto, CA 94301\n37.44221496582, -122.16165924072',
      content: {
        kind: 'LOCATION',
        latitude: 37.44221496582,
        longitude: -122.16165924072,
        name: 'Philz Coffee',
        address: '101 Forest Ave, Palo Alto, CA 94301',
        url: 'https://philzcoffee.com/',
      },
    }),
  ],
  'meta.reaction_message.json': [
    '106540352242922',
    message('wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQzQTRBNjU5OUFFRTAzODEwMTQ0RgA=', '+16505551234', 'Sheena Nelson', '2025-06-08T21:52:24.000Z', {
      body: '👍',
      content: { kind: 'REACTION', emoji: '👍', target: 'wamid.HBgLMTY1MDM4Nzk0MzkVAgARGBI0RTJEOTc2ODVERUY5RDlGNkYA' },
      inReplyTo: 'wamid.HBgLMTY1MDM4Nzk0MzkVAgARGBI0RTJEOTc2ODVERUY5RDlGNkYA',
    }),
  ],
  'meta.system_message.json': [
    '106540352242922',
    {
      kind: 'identity-change',
      from: { kind: 'PHONE', scope: '', value: '+16505551234', verified: true },
      to: [{ kind: 'PHONE', scope: '', value: '+12195555358', verified: true }],
      address: '+12195555358',
      note: 'User Sheena Nelson changed from 16505551234 to 12195555358',
      at: '2025-06-18T17:55:42.000Z',
    },
  ],
  'meta.text_message.json': [
    '106540352242922',
    message('wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQzQTRBNjU5OUFFRTAzODEwMTQ0RgA=', '+16505551234', 'Sheena Nelson', '2025-06-08T20:59:43.000Z', {
      body: 'Does it come in another color?',
    }),
  ],
  'meta.text_message_from_click_to_whatsapp_ad.json': [
    '106540352242922',
    message('wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQzQUQ0N0VFMDA2MTQ0RkJFNkNDNAA=', '+16505551234', 'Sheena Nelson', '2025-06-18T19:46:32.000Z', {
      body: 'Hello! Can I get more info on this?',
      payload: {
        referral: {
          sourceUrl: 'https://fb.me/3cr4Wqqkv',
          sourceId: '120226305854810726',
          sourceType: 'ad',
          body: 'Summer Succulents are here!',
          headline: 'Chat with us',
          mediaType: 'image',
          imageUrl: 'https://scontent.xx.fbcdn.net/v/t45.1...',
          ctwaClid:
            'Aff-n8ZTODiE79d22KtAwQKj9e_mIEOOj27vDVwFjN80dp4_0NiNhEgpGo0AHemvuSoifXaytfTzcchptiErTKCqTrJ5nW1h7IHYeYymGb5K5J5iTROpBhWAGaIAeUzHL50',
          welcomeMessage: { text: 'Hi there! Let us know how we can help!' },
        },
      },
    }),
  ],
  'meta.text_message_with_context_product_inquiry.json': [
    '106540352242922',
    message('wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQzQTA2NTUwRkNEMDdFQjJCRUU0NQA=', '+16505551234', 'Sheena Nelson', '2025-06-15T19:46:40.000Z', {
      body: 'Is this still available?',
      payload: { referredProduct: { catalogId: '194836987003835', productRetailerId: 'di9ozbzfi4' } },
      inReplyTo: 'wamid.HBgLMTY1MDM4Nzk0MzkVAgARGA9wcm9kdWN0X2lucXVpcnkA',
    }),
  ],
  'netflie.a_button_notification.json': [
    'PHONE_NUMBER_ID',
    message('wamid.ID', '+16315551234', 'NAME', '2022-11-23T20:02:58.000Z', {
      body: 'No',
      content: { description: null, data: null, id: 'No-Button-Payload', title: 'No', kind: 'INTERACTIVE_REPLY', reply: 'QUICK_REPLY' },
      inReplyTo: 'wamid.ID',
    }),
  ],
  'netflie.a_button_reply_notification.json': [
    'PHONE_NUMBER_ID',
    message('wamid.ID', 'PHONE_NUMBER_ID', 'NAME', '2022-11-23T20:02:58.000Z', {
      body: 'button-text',
      content: {
        description: null,
        data: null,
        id: 'unique-button-identifier-here',
        title: 'button-text',
        kind: 'INTERACTIVE_REPLY',
        reply: 'BUTTON',
      },
    }),
  ],
  'netflie.a_contact_notification.json': [
    'PHONE_NUMBER_ID',
    message('wamid.ID', 'PHONE_NUMBER', 'NAME', '2022-11-23T20:02:58.000Z', {
      body: 'CONTACT_FORMATTED_NAME CONTACT_PHONE CONTACT_EMAIL',
      content: {
        kind: 'CONTACTS',
        contacts: [
          {
            name: 'CONTACT_FORMATTED_NAME',
            organization: 'CONTACT_ORG_COMPANY',
            phones: [{ value: 'CONTACT_PHONE', type: 'HOME or WORK>' }],
            emails: [{ value: 'CONTACT_EMAIL', type: 'WORK' }],
          },
        ],
      },
    }),
  ],
  'netflie.a_flow_notification.json': [
    'PHONE_NUMBER_ID',
    message('wamid.ID', 'PHONE_NUMBER_ID', 'NAME', '2022-11-23T20:02:58.000Z', {
      body: 'Sent',
      content: {
        description: null,
        data: { screen_0_name_0: 'Email', screen_0_orderNumber_1: 'ID', flow_token: 'unused' },
        id: null,
        title: 'Sent',
        kind: 'INTERACTIVE_REPLY',
        reply: 'FLOW',
      },
    }),
  ],
  'netflie.a_forwarded_notification.json': [
    'PHONE_NUMBER_ID',
    message('wamid.ID', '+16315551234', 'NAME', '2022-11-23T20:02:58.000Z', { body: 'MESSAGE_BODY', payload: { forwarded: true } }),
  ],
  'netflie.a_list_notification.json': [
    'PHONE_NUMBER_ID',
    message('wamid.ID', 'PHONE_NUMBER_ID', 'NAME', '2022-11-23T20:02:58.000Z', {
      body: 'list_reply_title',
      content: {
        description: 'list_reply_description',
        data: null,
        id: 'list_reply_id',
        title: 'list_reply_title',
        kind: 'INTERACTIVE_REPLY',
        reply: 'LIST',
      },
    }),
  ],
  'netflie.a_location_notification.json': [
    'PHONE_NUMBER_ID',
    message('wamid.ID', 'PHONE_NUMBER', 'NAME', '2022-11-23T20:02:58.000Z', {
      content: {
        kind: 'UNSUPPORTED',
        type: 'location',
        raw: {
          from: 'PHONE_NUMBER',
          id: 'wamid.ID',
          timestamp: '1669233778',
          type: 'location',
          location: { latitude: 'LOCATION_LATITUDE', longitude: 'LOCATION_LONGITUDE', name: 'LOCATION_NAME', address: 'LOCATION_ADDRESS' },
        },
      },
    }),
  ],
  'netflie.a_marketing_status_notification.json': ['CUSTOMER_PHONE_NUMBER', receipt('wamid.ID', 'DELIVERED')],
  'netflie.a_notification.json': [
    'PHONE_NUMBER_ID',
    message('wamid.ID', '+16315551234', 'NAME', '2022-11-23T20:02:58.000Z', {
      body: 'No',
      content: { description: null, data: null, id: 'No-Button-Payload', title: 'No', kind: 'INTERACTIVE_REPLY', reply: 'QUICK_REPLY' },
      payload: {
        referral: {
          sourceUrl: 'AD_OR_POST_FB_URL',
          sourceId: 'ADID',
          sourceType: 'ad or post',
          headline: 'AD_TITLE',
          body: 'AD_DESCRIPTION',
          mediaType: 'image or video',
          imageUrl: 'RAW_IMAGE_URL',
          videoUrl: 'RAW_VIDEO_URL',
          thumbnailUrl: 'RAW_THUMBNAIL_URL',
        },
        forwarded: true,
        frequentlyForwarded: true,
        referredProduct: { catalogId: 'CATALOG_ID', productRetailerId: 'PRODUCT_ID' },
      },
      inReplyTo: 'wamid.ID',
    }),
  ],
  'netflie.a_service_status_notification.json': ['CUSTOMER_PHONE_NUMBER', receipt('wamid.ID', 'DELIVERED')],
  'netflie.a_status_conversation_initiated_notification.json': ['PHONE_NUMBER_ID', receipt('wamid.ID', 'READ')],
  'netflie.a_status_notification.json': ['CUSTOMER_PHONE_NUMBER', receipt('wamid.ID', 'READ')],
  'netflie.a_status_notification_with_errors.json': [
    '102944729380254',
    receipt('amid.ID', 'FAILED', { code: '131053', message: 'WhatsApp did not take the attachment: its kind or size is not supported.' }),
  ],
  'netflie.a_status_with_pricing_notification.json': ['PHONE_NUMBER_ID', receipt('wamid.ID', 'DELIVERED')],
  'netflie.a_sticker_notification.json': [
    'PHONE_NUMBER_ID',
    message('wamid.ID', 'SENDER_PHONE_NUMBER', 'NAME', '2022-11-23T20:02:58.000Z', {
      content: { kind: 'MEDIA', media: 'STICKER', caption: null },
      attachments: [{ url: 'https://graph.facebook.com/v26.0/STICKER_ID', contentType: 'image/webp' }],
    }),
  ],
  'netflie.a_system_notification.json': ['NEW_PHONE_NUMBER_ID', unknown('a customer has changed, but from what or to what is not said')],
  'netflie.an_order_notification.json': [
    'PHONE_NUMBER_ID',
    message('wamid.ID', 'PHONE_NUMBER_ID', 'NAME', '2022-11-23T20:02:58.000Z', {
      body: 'text-message-sent-along-with-the-order',
      content: {
        description: null,
        data: {
          catalog_id: 'the-catalog_id',
          product_items: [
            {
              product_retailer_id: 'the-product-SKU-identifier',
              quantity: 'number-of-item',
              item_price: 'unitary-price-of-item',
              currency: 'price-currency',
            },
            {
              product_retailer_id: 'the-product-SKU-identifier-2',
              quantity: 'number-of-item',
              item_price: 'unitary-price-of-item',
              currency: 'price-currency',
            },
          ],
          text: 'text-message-sent-along-with-the-order',
        },
        id: 'the-catalog_id',
        title: 'text-message-sent-along-with-the-order',
        kind: 'INTERACTIVE_REPLY',
        reply: 'ORDER',
      },
    }),
  ],
  'netflie.an_utility_status_notification.json': ['CUSTOMER_PHONE_NUMBER', receipt('wamid.ID', 'DELIVERED')],
  'netflie.multiple_text_notification.json': [
    'PHONE_NUMBER_ID',
    message('wamid.ID', 'PHONE_NUMBER', 'NAME', '2022-11-23T20:02:58.000Z', { body: 'MESSAGE_BODY' }),
    message('wamid.ID', 'PHONE_NUMBER', 'NAME', '2022-11-23T20:02:59.000Z', { body: 'MESSAGE_BODY2' }),
  ],
  'pywa.account_update.account_restriction.json': [
    '102290129340398',
    {
      kind: 'account-notice',
      name: 'account_update',
      ok: false,
      message:
        'WhatsApp has restricted this business account. Until it is lifted: it may not start conversations until 2022-01-04; it may not add phone numbers until 2022-01-04. Look at the account in WhatsApp Manager.',
    },
  ],
  'pywa.call_terminate.call_terminate.json': [
    '37489742',
    {
      kind: 'call',
      externalMessageId: 'wacid.ABGGFjFVU2AfAgo6V-Hc5eCgK5Gh',
      direction: 'OUTBOUND',
      address: '+16315553601',
      identities: [{ kind: 'PHONE', scope: '', value: '+16315553601', verified: true }],
      profileName: 'Test Name',
      outcome: 'ANSWERED',
      startedAt: '2022-12-21T17:47:04.000Z',
      seconds: 120,
    },
  ],
  'pywa.callback_button.button.json': [
    '1122334455667',
    message('wamid.xyzxyz', '+972987654321', 'Test Name', '2023-10-25T20:45:30.000Z', {
      identities: ['+972987654321', 'US.13491208655302741918', 'US.ENT.11815799212886844830'],
      body: 'title',
      content: { description: null, data: null, id: 'callback_data', title: 'title', kind: 'INTERACTIVE_REPLY', reply: 'BUTTON' },
      inReplyTo: 'wamid.xyzxyz',
    }),
  ],
  'pywa.callback_button.quick_reply.json': [
    '1122334455667',
    message('wamid.xsidjw', '+972987654321', 'Test Name', '2023-10-25T21:23:47.000Z', {
      identities: ['+972987654321', 'US.13491208655302741918', 'US.ENT.11815799212886844830'],
      body: 'title',
      content: { description: null, data: null, id: 'callback_data', title: 'title', kind: 'INTERACTIVE_REPLY', reply: 'QUICK_REPLY' },
      inReplyTo: 'wamid.xyzxyz==',
    }),
  ],
  'pywa.callback_selection.callback.json': [
    '1122334455667',
    message('wamid.zyzxyz', '+972987654321', 'Test Name', '2023-10-25T20:48:25.000Z', {
      identities: ['+972987654321', 'US.13491208655302741918', 'US.ENT.11815799212886844830'],
      body: 'title',
      content: { description: null, data: null, id: 'callback_data', title: 'title', kind: 'INTERACTIVE_REPLY', reply: 'LIST' },
      inReplyTo: 'wamid.xyzxyz',
    }),
  ],
  'pywa.callback_selection.description.json': [
    '1122334455667',
    message('wamid.zyzxyz', '+972987654321', 'Test Name', '2023-10-25T20:48:25.000Z', {
      identities: ['+972987654321', 'US.13491208655302741918', 'US.ENT.11815799212886844830'],
      body: 'title',
      content: { description: 'description', data: null, id: 'callback_data', title: 'title', kind: 'INTERACTIVE_REPLY', reply: 'LIST' },
      inReplyTo: 'wamid.xyzxyz',
    }),
  ],
  'pywa.deleted_message.revoke.json': [
    '<BUSINESS_PHONE_NUMBER_ID>',
    { kind: 'revoke', externalMessageId: '<ORIGINAL_WHATSAPP_MESSAGE_ID>', at: '2023-10-11T16:53:43.000Z' },
  ],
  'pywa.flow_completion.completion.json': [
    '1122334455667',
    message('wamid.wegrchytvwcggt==', '+972987654321', 'Test Name', '2023-12-13T21:21:13.000Z', {
      identities: ['+972987654321', 'US.13491208655302741918', 'US.ENT.11815799212886844830'],
      body: 'Sent',
      content: {
        description: null,
        data: {
          comment_text: 'Comment Text',
          delivery_rating: '4',
          flow_token: 'AQAAAAACS5FpgQ_cAAAAAD0QI3s.',
          purchase_rating: '2',
          recommend_radio: '0',
          cs_rating: '0',
        },
        id: null,
        title: 'Sent',
        kind: 'INTERACTIVE_REPLY',
        reply: 'FLOW',
      },
      inReplyTo: 'wamid.gvwegfretge==',
    }),
  ],
  'pywa.message.audio.json': [
    '1122334455667',
    message('wamid.xyzxyz', '+972987654321', 'Test Name', '2023-10-11T16:58:29.000Z', {
      identities: ['+972987654321', 'US.13491208655302741918', 'US.ENT.11815799212886844830'],
      content: { kind: 'MEDIA', media: 'AUDIO', caption: null },
      attachments: [{ url: 'https://graph.facebook.com/v26.0/1234567890987654321', contentType: 'audio/ogg; codecs=opus' }],
      payload: { forwarded: true },
    }),
  ],
  'pywa.message.chosen_location.json': [
    '1122334455667',
    message('wamid.xyzxyz', '+972987654321', 'Test Name', '2023-10-11T17:15:57.000Z', {
      identities: ['+972987654321', 'US.13491208655302741918', 'US.ENT.11815799212886844830'],
      body: 'Facebook HQ\n1 Hacker Way, Menlo Park, CA 94025\n37.4611978, -122.2164385',
      content: {
        kind: 'LOCATION',
        latitude: 37.4611978,
        longitude: -122.2164385,
        name: 'Facebook HQ',
        address: '1 Hacker Way, Menlo Park, CA 94025',
        url: 'https://maps.google.com/?cid=2000000000000000000',
      },
      payload: { forwarded: true },
    }),
  ],
  'pywa.message.contacts.json': [
    '1122334455667',
    message('wamid.xyzxyz', '+972987654321', 'Test Name', '2023-10-11T17:17:01.000Z', {
      identities: ['+972987654321', 'US.13491208655302741918', 'US.ENT.11815799212886844830'],
      body: 'Chandler Bing +1 555-555-5555\nMonica +1 666-666-6666\nRachel Green +1 777-777-7777',
      content: {
        kind: 'CONTACTS',
        contacts: [
          { name: 'Chandler Bing', organization: null, phones: [{ value: '+1 555-555-5555', type: 'CELL' }], emails: [] },
          { name: 'Monica', organization: null, phones: [{ value: '+1 666-666-6666', type: 'HOME' }], emails: [] },
          { name: 'Rachel Green', organization: null, phones: [{ value: '+1 777-777-7777', type: 'WORK' }], emails: [] },
        ],
      },
    }),
  ],
  'pywa.message.current_location.json': [
    '1122334455667',
    message('wamid.xyzxyz', '+972987654321', 'Test Name', '2023-10-11T17:15:57.000Z', {
      identities: ['+972987654321', 'US.13491208655302741918', 'US.ENT.11815799212886844830'],
      body: '12.25089, 43.90539',
      content: { kind: 'LOCATION', latitude: 12.25089, longitude: 43.90539, name: null, address: null, url: null },
      payload: { forwarded: true },
    }),
  ],
  'pywa.message.document.json': [
    '1122334455667',
    message('wamid.xyzxyz', '+972987654321', 'Test Name', '2023-10-11T17:01:06.000Z', {
      identities: ['+972987654321', 'US.13491208655302741918', 'US.ENT.11815799212886844830'],
      body: 'caption',
      content: { kind: 'MEDIA', media: 'DOCUMENT', caption: 'caption' },
      attachments: [
        { url: 'https://graph.facebook.com/v26.0/1234567890987654321', contentType: 'application/pdf', filename: 'filename.pdf' },
      ],
      payload: { forwarded: true },
    }),
  ],
  'pywa.message.forwarded.json': [
    '1122334455667',
    message('wamid.xyzxyz', '+972987654321', 'Test Name', '2023-10-11T17:20:15.000Z', {
      identities: ['+972987654321', 'US.13491208655302741918', 'US.ENT.11815799212886844830'],
      body: 'forwarded text',
      payload: { forwarded: true },
    }),
  ],
  'pywa.message.image.json': [
    '1122334455667',
    message('wamid.xyzxyz', '+972987654321', 'Test Name', '2023-10-11T16:56:19.000Z', {
      identities: ['+972987654321', 'US.13491208655302741918', 'US.ENT.11815799212886844830'],
      content: { kind: 'MEDIA', media: 'IMAGE', caption: null },
      attachments: [{ url: 'https://graph.facebook.com/v26.0/65463453', contentType: 'image/jpeg' }],
    }),
  ],
  'pywa.message.order.json': [
    '1122334455667',
    message('wamid.xyzxyz', '+972987654321', 'Test Name', '2023-10-11T17:17:48.000Z', {
      identities: ['+972987654321', 'US.13491208655302741918', 'US.ENT.11815799212886844830'],
      body: '3 × HAMBURGER, 2 × FRENCH_FRIES, 2 × SODA',
      content: {
        description: null,
        data: {
          catalog_id: '354160437058781',
          text: '',
          product_items: [
            { product_retailer_id: 'HAMBURGER', quantity: 3, item_price: 30, currency: 'ILS' },
            { product_retailer_id: 'FRENCH_FRIES', quantity: 2, item_price: 35, currency: 'ILS' },
            { product_retailer_id: 'SODA', quantity: 2, item_price: 10, currency: 'ILS' },
          ],
        },
        id: '354160437058781',
        title: '3 × HAMBURGER, 2 × FRENCH_FRIES, 2 × SODA',
        kind: 'INTERACTIVE_REPLY',
        reply: 'ORDER',
      },
    }),
  ],
  'pywa.message.reaction.json': [
    '1122334455667',
    message('wamid.xyzxyz', '+972987654321', 'Test Name', '2023-10-11T17:14:16.000Z', {
      identities: ['+972987654321', 'US.13491208655302741918', 'US.ENT.11815799212886844830'],
      body: '😮',
      content: { kind: 'REACTION', emoji: '😮', target: 'wamid.yzxyzx=' },
      inReplyTo: 'wamid.yzxyzx=',
    }),
  ],
  'pywa.message.referral.json': [
    '1122334455667',
    message('wamid.ID', '+972987654321', 'Test Name', '2023-10-11T17:23:20.000Z', {
      identities: ['+972987654321', 'US.13491208655302741918', 'US.ENT.11815799212886844830'],
      body: 'BODY',
      payload: {
        referral: {
          sourceUrl: 'AD_OR_POST_FB_URL',
          sourceId: 'ADID',
          sourceType: 'ad or post',
          headline: 'AD_TITLE',
          body: 'AD_DESCRIPTION',
          mediaType: 'image or video',
          imageUrl: 'RAW_IMAGE_URL',
          videoUrl: 'RAW_VIDEO_URL',
          thumbnailUrl: 'RAW_THUMBNAIL_URL',
          ctwaClid: 'CTWA_CLID',
        },
      },
    }),
  ],
  'pywa.message.reply.json': [
    '1122334455667',
    message('wamid.xyzxyz', '+972987654321', 'Test Name', '2023-10-11T17:19:06.000Z', {
      identities: ['+972987654321', 'US.13491208655302741918', 'US.ENT.11815799212886844830'],
      body: 'replied text',
      inReplyTo: 'wamid.xyzxyz==',
    }),
  ],
  'pywa.message.static_sticker.json': [
    '1122334455667',
    message('wamid.xyzxyz', '+972987654321', 'Test Name', '2023-10-11T17:02:40.000Z', {
      identities: ['+972987654321', 'US.13491208655302741918', 'US.ENT.11815799212886844830'],
      content: { kind: 'MEDIA', media: 'STICKER', caption: null },
      attachments: [{ url: 'https://graph.facebook.com/v26.0/1234567890987654321', contentType: 'image/webp' }],
    }),
  ],
  'pywa.message.text.json': [
    '1122334455667',
    message('wamid.xyzxyz', '+972987654321', 'Test Name', '2023-10-11T16:53:43.000Z', {
      identities: ['+972987654321', 'US.13491208655302741918', 'US.ENT.11815799212886844830'],
      body: 'Body Text',
    }),
  ],
  'pywa.message.unreaction_empty.json': [
    '1122334455667',
    message('wamid.xyzxyz', '+972987654321', 'Test Name', '2023-10-11T17:14:16.000Z', {
      identities: ['+972987654321', 'US.13491208655302741918', 'US.ENT.11815799212886844830'],
      content: { kind: 'REACTION', emoji: null, target: 'wamid.yzxyzx=' },
      inReplyTo: 'wamid.yzxyzx=',
    }),
  ],
  'pywa.message.unsupported.json': [
    '1122334455667',
    message('wamid.xyzxyz', '+972987654321', 'Test Name', '2023-10-11T17:18:26.000Z', {
      identities: ['+972987654321', 'US.13491208655302741918', 'US.ENT.11815799212886844830'],
      content: {
        kind: 'UNSUPPORTED',
        type: 'unsupported',
        raw: {
          from: '972987654321',
          id: 'wamid.xyzxyz',
          timestamp: '1697044706',
          errors: [
            {
              code: 131051,
              title: 'Message type unknown',
              message: 'Message type unknown',
              error_data: { details: 'Message type is currently not supported.' },
            },
          ],
          type: 'unsupported',
        },
      },
    }),
  ],
  'pywa.message.video.json': [
    '1122334455667',
    message('wamid.xyzxyz', '+972987654321', 'Test Name', '2023-10-11T17:12:42.000Z', {
      identities: ['+972987654321', 'US.13491208655302741918', 'US.ENT.11815799212886844830'],
      body: 'caption',
      content: { kind: 'MEDIA', media: 'VIDEO', caption: 'caption' },
      attachments: [{ url: 'https://graph.facebook.com/v26.0/765756756', contentType: 'video/mp4' }],
      payload: { forwarded: true },
    }),
  ],
  'pywa.message.voice.json': [
    '1122334455667',
    message('wamid.xyzxyz', '+972987654321', 'Test Name', '2023-10-11T16:57:53.000Z', {
      identities: ['+972987654321', 'US.13491208655302741918', 'US.ENT.11815799212886844830'],
      content: { kind: 'MEDIA', media: 'VOICE', caption: null },
      attachments: [{ url: 'https://graph.facebook.com/v26.0/1234567890987654321', contentType: 'audio/ogg; codecs=opus' }],
    }),
  ],
  'pywa.message_status.delivered.json': ['1122334455667', receipt('wamid.xyzxyz', 'DELIVERED')],
  'pywa.message_status.failed.json': [
    '1122334455667',
    receipt('wamid.xyzxyz', 'FAILED', {
      code: '130472',
      message: 'WhatsApp left this person out of marketing messages for an experiment of its own. Nothing can be done about it.',
    }),
  ],
  'pywa.message_status.read.json': ['1122334455667', receipt('wamid.xyzxyz', 'READ')],
  'pywa.message_status.sent.json': ['1122334455667', receipt('wamid.xyzxyz', 'SENT')],
  'pywa.message_status.with_tracker.json': ['1122334455667', receipt('wamid.xyzxyz', 'SENT')],
  'pywa.outgoing_message.text.json': [
    '1122334455667',
    message('<WHATSAPP_MESSAGE_ID>', '<WHATSAPP_USER_PHONE_NUMBER>', 'Test Name', '2023-10-11T16:53:43.000Z', {
      direction: 'OUTBOUND',
      body: 'Test message',
    }),
  ],
  'pywa.system.phone_number_change.json': [
    '1122334455667',
    {
      kind: 'identity-change',
      from: { kind: 'PHONE', scope: '', value: '+972987654321', verified: true },
      to: [{ kind: 'PHONE', scope: '', value: '+972912345678', verified: true }],
      address: '+972912345678',
      note: 'User A changed from 972987654321 to 972912345678',
      at: '2025-07-30T04:55:15.000Z',
    },
  ],
  'pywa.template_status_update.approved.json': [
    '102290129340398',
    {
      kind: 'template',
      providerTemplateId: '1689556908129832',
      name: 'order_confirmation',
      language: 'en_US',
      status: 'APPROVED',
      reason: null,
      quality: null,
    },
  ],
  'pywa.template_status_update.rejected.json': [
    '102290129340398',
    {
      kind: 'template',
      providerTemplateId: '1689556908129835',
      name: 'abandoned_cart',
      language: 'en',
      status: 'REJECTED',
      reason:
        'Your template has parameters placed next to each other (like {{1}}{{2}}) without text or punctuation between them. Separate parameters with descriptive text and ensure each parameter is clearly contextualized.',
      quality: null,
    },
  ],
  'pywa.user_marketing_preferences.resume.json': [
    '106540352242922',
    {
      kind: 'consent',
      identity: { kind: 'PHONE', scope: '', value: '+16505551234', verified: true },
      purposes: ['MARKETING'],
      state: 'OPTED_IN',
      source: 'PROVIDER',
      evidence: 'User requested to resume marketing messages',
      at: '2024-11-15T21:22:01.000Z',
    },
  ],
  'vercelchat.status_update_message_delivered.json': [
    '000000000000000',
    receipt('wamid.HBgNMTU1NTEyMzQ1NjcVAgASGBQzQUYwMDAwMDAwMDAwMDAwMDAA', 'DELIVERED'),
  ],
  'vercelchat.system_message_user_changed_number.json': [
    '000000000000000',
    {
      kind: 'identity-change',
      from: { kind: 'PHONE', scope: '', value: '+15551234567', verified: true },
      to: [
        { kind: 'PHONE', scope: '', value: '+15557654321', verified: true },
        { kind: 'WHATSAPP', scope: '', value: 'US.24817305912873645029', verified: true },
      ],
      address: '+15557654321',
      note: 'User Test User changed from 15551234567 to 15557654321',
      at: '2023-11-14T22:13:21.000Z',
    },
  ],
  'vercelchat.text_message_with_business_scoped_user_ids.json': [
    '000000000000000',
    message('wamid.HBgNMTU1NTEyMzQ1NjcVAgASGBQzQUYwMDAwMDAwMDAwMDAwMDAB', '+15551234567', 'Test User', '2023-11-14T22:13:20.000Z', {
      identities: ['+15551234567', 'US.13491208655302741918', 'US.ENT.11815799212886844830'],
      body: 'Hello from a username user',
      payload: { username: 'testuser' },
    }),
  ],
  'bsuid/wajs.delivered_status_with_username_has_parent_bsuid_was_sent_to_bsuid.json': ['123456123', receipt('ABGGFlA5Fpa', 'DELIVERED')],
  'bsuid/wajs.incoming_message_with_phone_and_username_has_parent_bsuid.json': [
    '123456123',
    message('ABGGFlA5Fpa', '+16315551181', 'test user name', '2017-09-08T20:36:28.000Z', {
      identities: ['+16315551181', 'US.13491208655302741918', 'US.ENT.506847293015824'],
      body: 'this is a text message',
      payload: { username: 'testusername' },
    }),
  ],
  'bsuid/wajs.incoming_message_with_phone_has_parent_bsuid.json': [
    '123456123',
    message('ABGGFlA5Fpa', '+16315551181', 'test user name', '2017-09-08T20:36:28.000Z', {
      identities: ['+16315551181', 'US.13491208655302741918', 'US.ENT.506847293015824'],
      body: 'this is a text message',
    }),
  ],
  'bsuid/wajs.incoming_message_with_username_doesn_t_have_parent_bsuid.json': [
    '123456123',
    message('ABGGFlA5Fpa', 'US.13491208655302741918', 'test user name', '2017-09-08T20:36:28.000Z', {
      body: 'this is a text message',
      payload: { username: 'testusername' },
    }),
  ],
  'bsuid/wajs.read_status_with_phone_doesn_t_have_parent_bsuid_was_sent_to_phone.json': ['123456123', receipt('ABGGFlA5Fpa', 'READ')],
  'bsuid/wajs.sent_status_with_phone_doesn_t_have_parent_bsuid_was_sent_to_phone.json': ['123456123', receipt('ABGGFlA5Fpa', 'SENT')],
}

const read = (body: Buffer | string): ReturnType<typeof wire.parse> => {
  const request: RawRequest = { method: 'POST', url: 'https://inbox.test/webhooks/meta', headers: {}, body: Buffer.from(body) }
  return wire.parse('', request)
}

describe.runIf(present)('recorded WhatsApp webhooks', () => {
  const names = present
    ? ['', 'bsuid/'].flatMap((folder) =>
        readdirSync(`${FOLDER}/${folder}`)
          .filter((name) => name.endsWith('.json'))
          .map((name) => `${folder}${name}`),
      )
    : []

  test('every file has its expectation, and every expectation its file', () => {
    expect(names.toSorted()).toEqual(Object.keys(EXPECTED).toSorted())
  })

  test.each(names)('%s', async (name) => {
    const body = readFileSync(`${FOLDER}/${name}`)
    const parts = await read(body)
    const [account, ...facts] = EXPECTED[name] ?? ['no expectation']
    expect(parts).toHaveLength(1)
    const [part] = parts
    expect(part?.to).toEqual({ channel: 'WHATSAPP', addresses: account === null ? [] : [account], communicationId: null })
    expect(JSON.parse(JSON.stringify(part?.facts))).toEqual(facts)
    expect(JSON.parse(String(part?.excerpt?.()))).toEqual(JSON.parse(body.toString('utf8')))
  })
})
