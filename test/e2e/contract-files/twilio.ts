import type { Expectation } from './expectation.ts'

/** What each recorded webhook of Twilio becomes where it is posted to `segment`; read against the files. */
export const twilio: Record<string, Expectation & { segment: string; status: number }> = {
  'twilio/botbuilder.mediapayload.form': {
    segment: 'sms',
    status: 200,
    becomes: ['INBOUND SMS MEDIA "Hello" files=1 of PHONE:+2222', 'webhook APPLIED'],
  },
  'twilio/botbuilder.nomediapayload.form': {
    segment: 'sms',
    status: 200,
    becomes: ['INBOUND SMS TEXT "Hello" of PHONE:+2222', 'webhook APPLIED'],
  },
  'twilio/bottender.whatsapp_image_message_received.json': {
    segment: 'whatsapp',
    status: 200,
    becomes: ['INBOUND WHATSAPP MEDIA "xd" files=1 of PHONE:+886123456789', 'webhook APPLIED'],
  },
  'twilio/bottender.whatsapp_message_delivered.json': {
    segment: 'status',
    status: 200,
    known: [{ id: 'SM338ac551ecd04d698821b50ea5dXXXXX', direction: 'OUTBOUND' }],
    becomes: [
      'SM338ac551ecd04d698821b50ea5dXXXXX: status SENT → DELIVERED',
      'receipt DELIVERED for SM338ac551ecd04d698821b50ea5dXXXXX',
      'webhook APPLIED',
    ],
    again: ['receipt DELIVERED for SM338ac551ecd04d698821b50ea5dXXXXX', 'webhook APPLIED'],
  },
  'twilio/bottender.whatsapp_message_read.json': {
    segment: 'status',
    status: 200,
    known: [{ id: 'SM338ac551ecd04d698821b50ea5dXXXXX', direction: 'OUTBOUND' }],
    becomes: [
      'SM338ac551ecd04d698821b50ea5dXXXXX: status SENT → READ',
      'receipt READ for SM338ac551ecd04d698821b50ea5dXXXXX',
      'webhook APPLIED',
    ],
    again: ['receipt READ for SM338ac551ecd04d698821b50ea5dXXXXX', 'webhook APPLIED'],
  },
  'twilio/bottender.whatsapp_message_sent.json': {
    segment: 'status',
    status: 200,
    known: [{ id: 'SM338ac551ecd04d698821b50ea5dXXXXX', direction: 'OUTBOUND' }],
    becomes: ['receipt SENT for SM338ac551ecd04d698821b50ea5dXXXXX', 'webhook APPLIED'],
    again: ['receipt SENT for SM338ac551ecd04d698821b50ea5dXXXXX', 'webhook APPLIED'],
  },
  'twilio/bottender.whatsapp_text_message_received.json': {
    segment: 'whatsapp',
    status: 200,
    becomes: ['INBOUND WHATSAPP TEXT "hi" of PHONE:+886123456789', 'webhook APPLIED'],
  },
  'twilio/chatwoot.mms_two_media.json': {
    segment: 'sms',
    status: 200,
    becomes: ['INBOUND SMS MEDIA "testing multiple media" files=2 of PHONE:+12345', 'webhook APPLIED'],
  },
  'twilio/chatwoot.status_failed_30008.json': {
    segment: 'status',
    status: 200,
    known: [{ id: 'SMd560ac79e4a4d36b3ce59f1f50471986', direction: 'OUTBOUND' }],
    becomes: [
      'SMd560ac79e4a4d36b3ce59f1f50471986: status SENT → FAILED, failure null → 30008',
      'receipt FAILED for SMd560ac79e4a4d36b3ce59f1f50471986 30008',
      'webhook APPLIED',
    ],
    again: ['receipt FAILED for SMd560ac79e4a4d36b3ce59f1f50471986 30008', 'webhook APPLIED'],
  },
  'twilio/chatwoot.status_read.json': {
    segment: 'status',
    status: 200,
    known: [{ id: 'SMd560ac79e4a4d36b3ce59f1f50471986', direction: 'OUTBOUND' }],
    becomes: [
      'SMd560ac79e4a4d36b3ce59f1f50471986: status SENT → READ',
      'receipt READ for SMd560ac79e4a4d36b3ce59f1f50471986',
      'webhook APPLIED',
    ],
    again: ['receipt READ for SMd560ac79e4a4d36b3ce59f1f50471986', 'webhook APPLIED'],
  },
  'twilio/chatwoot.whatsapp_location.json': {
    segment: 'whatsapp',
    status: 200,
    becomes: ['INBOUND WHATSAPP LOCATION "12.160894393921, 75.265205383301" of PHONE:+12345', 'webhook APPLIED'],
  },
  'twilio/chatwoot.whatsapp_profile_name.json': {
    segment: 'whatsapp',
    status: 200,
    becomes: ['INBOUND WHATSAPP TEXT "Hello with profile name" of PHONE:+1234567890', 'webhook APPLIED'],
  },
  'twilio/composed.call_status_no_answer.json': {
    segment: 'voice',
    status: 200,
    becomes: ['INBOUND CALL_LOG CALL NO_ANSWER of PHONE:+15005550001', 'webhook APPLIED'],
  },
  'twilio/composed.dial_action_no_answer.json': {
    segment: 'voice',
    status: 200,
    becomes: ['INBOUND CALL_LOG CALL NO_ANSWER of PHONE:+15005550001', 'webhook APPLIED'],
  },
  'twilio/composed.inbound_stop_optouttype.json': {
    segment: 'sms',
    status: 200,
    becomes: [
      'INBOUND SMS TEXT "STOP" of PHONE:+15017122661',
      'consent OPTED_OUT MARKETING PROVIDER',
      'consent OPTED_OUT TRANSACTIONAL PROVIDER',
      'webhook APPLIED',
    ],
  },
  'twilio/composed.whatsapp_button_reply.json': {
    segment: 'whatsapp',
    status: 200,
    becomes: [
      'INBOUND WHATSAPP INTERACTIVE_REPLY "Confirm" re=SMbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb of PHONE:+15005550006',
      'webhook APPLIED',
    ],
  },
  'twilio/docs.status_sent.json': {
    segment: 'status',
    status: 200,
    becomes: ['receipt SENT for SM2xxxxxx kept', 'webhook APPLIED'],
    again: ['receipt SENT for SM2xxxxxx kept', 'webhook APPLIED'],
  },
  'twilio/twiliolabs.inbound_sms.json': {
    segment: 'sms',
    status: 200,
    becomes: ['INBOUND SMS TEXT "Ahoy" of PHONE:+15017122661', 'webhook APPLIED'],
  },
  'twilio/twiliolabs.inbound_voice_ringing.json': {
    segment: 'voice',
    status: 200,
    becomes: ['webhook UNPARSED the call is ringing: nothing needs doing before it has ended'],
    again: ['webhook UNPARSED the call is ringing: nothing needs doing before it has ended'],
  },
  'twilio/vitamin.call_status_completed.json': {
    segment: 'voice',
    status: 200,
    becomes: ['OUTBOUND CALL_LOG CALL ANSWERED of PHONE:+15005550006', 'webhook APPLIED'],
  },
  'twilio/vitamin.status_delivered.json': {
    segment: 'status',
    status: 200,
    known: [{ id: 'SM86006fa9b56c465597ce14987a3f85a2', direction: 'OUTBOUND' }],
    becomes: [
      'SM86006fa9b56c465597ce14987a3f85a2: status SENT → DELIVERED',
      'receipt DELIVERED for SM86006fa9b56c465597ce14987a3f85a2',
      'webhook APPLIED',
    ],
    again: ['receipt DELIVERED for SM86006fa9b56c465597ce14987a3f85a2', 'webhook APPLIED'],
  },
  'twilio/vitamin.status_undelivered_30007.json': {
    segment: 'status',
    status: 200,
    known: [{ id: 'SM86006fa9b56c465597ce14987a3f85a2', direction: 'OUTBOUND' }],
    becomes: [
      'SM86006fa9b56c465597ce14987a3f85a2: status SENT → FAILED, failure null → 30007',
      'receipt FAILED for SM86006fa9b56c465597ce14987a3f85a2 30007',
      'webhook APPLIED',
    ],
    again: ['receipt FAILED for SM86006fa9b56c465597ce14987a3f85a2 30007', 'webhook APPLIED'],
  },
}
