import type { Expectation } from './expectation.ts'

/** What each recorded webhook of Messenger becomes; read against the files. */
export const messenger: Record<string, Expectation> = {
  'messenger/botbuilder.payload.json': { becomes: ['INBOUND MESSENGER TEXT "text" of MESSENGER:0', 'webhook APPLIED'] },
  'messenger/botbuilder.payloadwithreferral.json': {
    becomes: ['INBOUND MESSENGER INTERACTIVE_REPLY "USER_DEFINED_REFERRAL_PARAM" of MESSENGER:0', 'webhook APPLIED'],
  },
  'messenger/botbuilder.requestresponse.json': { becomes: ['INBOUND MESSENGER TEXT "asd" of MESSENGER:123123123', 'webhook APPLIED'] },
  'messenger/bottender.messaging_events.json textMessage': {
    becomes: ['INBOUND MESSENGER TEXT "Sharp tools make good work." of MESSENGER:1423587017700273', 'webhook APPLIED'],
  },
  'messenger/bottender.messaging_events.json imageMessage': {
    becomes: ['INBOUND MESSENGER MEDIA files=1 of MESSENGER:1423587017700273', 'webhook APPLIED'],
  },
  'messenger/bottender.messaging_events.json audioMessage': {
    becomes: ['INBOUND MESSENGER MEDIA files=1 of MESSENGER:1423587017700273', 'webhook APPLIED'],
  },
  'messenger/bottender.messaging_events.json videoMessage': {
    becomes: ['INBOUND MESSENGER MEDIA files=1 of MESSENGER:1423587017700273', 'webhook APPLIED'],
  },
  'messenger/bottender.messaging_events.json fileMessage': {
    becomes: ['INBOUND MESSENGER MEDIA files=1 of MESSENGER:1423587017700273', 'webhook APPLIED'],
  },
  'messenger/bottender.messaging_events.json locationMessage': {
    becomes: ['INBOUND MESSENGER LOCATION "0, 0" of MESSENGER:1423587017700273', 'webhook APPLIED'],
  },
  'messenger/bottender.messaging_events.json quickReplyMessage': {
    becomes: ['INBOUND MESSENGER INTERACTIVE_REPLY "Red" of MESSENGER:1423587017700273', 'webhook APPLIED'],
  },
  'messenger/bottender.messaging_events.json delivery': {
    becomes: ['receipt DELIVERED for mid.1458668856218:ed81099e15d3f4f233 kept', 'webhook APPLIED'],
    again: ['receipt DELIVERED for mid.1458668856218:ed81099e15d3f4f233 kept', 'webhook APPLIED'],
  },
  'messenger/bottender.messaging_events.json read': {
    known: [{ id: 'm_before', direction: 'OUTBOUND', address: '404217156637689' }],
    becomes: ['m_before: status SENT → READ', 'webhook APPLIED'],
    again: ['webhook APPLIED'],
  },
  'messenger/bottender.messaging_events.json echoMessage': {
    becomes: ['OUTBOUND MESSENGER TEXT "Difficult the first time, easy the second." of MESSENGER:1423587017700273', 'webhook APPLIED'],
  },
  'messenger/bottender.messaging_events.json postback': {
    becomes: ['INBOUND MESSENGER INTERACTIVE_REPLY "USER_DEFINED_PAYLOAD" of MESSENGER:1423587017700273', 'webhook APPLIED'],
  },
  'messenger/bottender.messaging_events.json linkReferral': {
    becomes: ['INBOUND MESSENGER INTERACTIVE_REPLY "aaaa" of MESSENGER:1476077111119289', 'webhook APPLIED'],
  },
  'messenger/bottender.messaging_events.json postbackReferral': {
    becomes: ['INBOUND MESSENGER INTERACTIVE_REPLY "Get Started" of MESSENGER:1476077422222289', 'webhook APPLIED'],
  },
  'messenger/bottender.messaging_events.json optin': {
    becomes: [
      'INBOUND MESSENGER INTERACTIVE_REPLY "PASS_THROUGH_PARAM" of MESSENGER:USER_ID',
      'consent OPTED_IN MARKETING PROVIDER',
      'consent OPTED_IN TRANSACTIONAL PROVIDER',
      'webhook APPLIED',
    ],
  },
  'messenger/bottender.request_echo.json': { becomes: ['OUTBOUND MESSENGER TEXT "text" of MESSENGER:1244813222196986', 'webhook APPLIED'] },
  'messenger/bottender.request_text.json': { becomes: ['INBOUND MESSENGER TEXT "text" of MESSENGER:1412611362105802', 'webhook APPLIED'] },
  'messenger/jgorset.delivery.json': {
    becomes: [
      'receipt DELIVERED for mid.1457764197618:41d102a3e1ae206a38 kept',
      'receipt DELIVERED for mid.1458668856218:ed81099e15d3f4f233 kept',
      'webhook APPLIED',
    ],
    again: [
      'receipt DELIVERED for mid.1457764197618:41d102a3e1ae206a38 kept',
      'receipt DELIVERED for mid.1458668856218:ed81099e15d3f4f233 kept',
      'webhook APPLIED',
    ],
  },
  'messenger/jgorset.message.json': {
    becomes: ['INBOUND MESSENGER INTERACTIVE_REPLY "Hello, bot!" files=1 of MESSENGER:3', 'webhook APPLIED'],
  },
  'messenger/jgorset.message_reaction.json': { becomes: ['INBOUND MESSENGER UNSUPPORTED "👍" of MESSENGER:3', 'webhook APPLIED'] },
  'messenger/jgorset.optin.json': {
    becomes: [
      'INBOUND MESSENGER INTERACTIVE_REPLY "PASS_THROUGH_PARAM" of MESSENGER:3',
      'consent OPTED_IN MARKETING PROVIDER',
      'consent OPTED_IN TRANSACTIONAL PROVIDER',
      'webhook APPLIED',
    ],
  },
  'messenger/jgorset.referral.json': { becomes: ['INBOUND MESSENGER INTERACTIVE_REPLY "my-ref-value" of MESSENGER:3', 'webhook APPLIED'] },
  'messenger/vercelchat.delivery_confirmation.json': {
    known: [{ id: 'm_SENT_MSG_001', direction: 'OUTBOUND', address: '200000000000001' }],
    becomes: ['m_SENT_MSG_001: status SENT → DELIVERED', 'receipt DELIVERED for m_SENT_MSG_001', 'webhook APPLIED'],
    again: ['receipt DELIVERED for m_SENT_MSG_001', 'webhook APPLIED'],
  },
  'messenger/vercelchat.echo_message.json': {
    becomes: ['OUTBOUND MESSENGER TEXT "Bot response" of MESSENGER:200000000000001', 'webhook APPLIED'],
  },
  'messenger/vercelchat.first_message.json': {
    becomes: ['INBOUND MESSENGER TEXT "What is Vercel?" of MESSENGER:200000000000001', 'webhook APPLIED'],
  },
  'messenger/vercelchat.image_attachment.json': {
    becomes: ['INBOUND MESSENGER MEDIA files=1 of MESSENGER:200000000000001', 'webhook APPLIED'],
  },
  'messenger/vercelchat.multiple_entries.json': {
    becomes: [
      'INBOUND MESSENGER TEXT "from entry 1" of MESSENGER:USER_123',
      'INBOUND MESSENGER TEXT "from entry 2" of MESSENGER:USER_123',
      'webhook APPLIED',
    ],
  },
  'messenger/vercelchat.postback_click.json': {
    becomes: ['INBOUND MESSENGER INTERACTIVE_REPLY "Say Hello" of MESSENGER:200000000000001', 'webhook APPLIED'],
  },
  'messenger/vercelchat.reaction_added.json': {
    becomes: ['INBOUND MESSENGER REACTION "❤" re=m_FAKE_MSG_ID_001 of MESSENGER:200000000000001', 'webhook APPLIED'],
  },
  'messenger/vercelchat.read_confirmation.json': {
    known: [{ id: 'm_before', direction: 'OUTBOUND', address: '200000000000001' }],
    becomes: ['m_before: status SENT → READ', 'webhook APPLIED'],
    again: ['webhook APPLIED'],
  },
}
