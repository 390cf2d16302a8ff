import type { Expectation } from './expectation.ts'

/** What each recorded webhook of WhatsApp's Cloud API becomes; read against the files. */
export const whatsapp: Record<string, Expectation> = {
  'whatsapp-cloud/bsuid/wajs.delivered_status_with_username_has_parent_bsuid_was_sent_to_bsuid.json': {
    known: [{ id: 'ABGGFlA5Fpa', direction: 'OUTBOUND' }],
    becomes: ['ABGGFlA5Fpa: status SENT → DELIVERED', 'receipt DELIVERED for ABGGFlA5Fpa', 'webhook APPLIED'],
    again: ['receipt DELIVERED for ABGGFlA5Fpa', 'webhook APPLIED'],
  },
  'whatsapp-cloud/bsuid/wajs.incoming_message_with_phone_and_username_has_parent_bsuid.json': {
    becomes: [
      'INBOUND WHATSAPP TEXT "this is a text message" of PHONE:+16315551181 WHATSAPP:US.13491208655302741918 WHATSAPP:US.ENT.506847293015824',
      'webhook APPLIED',
    ],
  },
  'whatsapp-cloud/bsuid/wajs.incoming_message_with_phone_has_parent_bsuid.json': {
    becomes: [
      'INBOUND WHATSAPP TEXT "this is a text message" of PHONE:+16315551181 WHATSAPP:US.13491208655302741918 WHATSAPP:US.ENT.506847293015824',
      'webhook APPLIED',
    ],
  },
  'whatsapp-cloud/bsuid/wajs.incoming_message_with_username_doesn_t_have_parent_bsuid.json': {
    becomes: ['INBOUND WHATSAPP TEXT "this is a text message" of WHATSAPP:US.13491208655302741918', 'webhook APPLIED'],
  },
  'whatsapp-cloud/bsuid/wajs.read_status_with_phone_doesn_t_have_parent_bsuid_was_sent_to_phone.json': {
    known: [{ id: 'ABGGFlA5Fpa', direction: 'OUTBOUND' }],
    becomes: ['ABGGFlA5Fpa: status SENT → READ', 'receipt READ for ABGGFlA5Fpa', 'webhook APPLIED'],
    again: ['receipt READ for ABGGFlA5Fpa', 'webhook APPLIED'],
  },
  'whatsapp-cloud/bsuid/wajs.sent_status_with_phone_doesn_t_have_parent_bsuid_was_sent_to_phone.json': {
    becomes: ['receipt SENT for ABGGFlA5Fpa kept', 'webhook APPLIED'],
    again: ['receipt SENT for ABGGFlA5Fpa kept', 'webhook APPLIED'],
  },
  'whatsapp-cloud/chatwoot.document_accented_filename.json': {
    becomes: ['webhook UNROUTED no active channel account has the address '],
    again: ['webhook UNROUTED no active channel account has the address '],
  },
  'whatsapp-cloud/composed.status_failed_131047.json': {
    known: [{ id: 'wamid.xyzxyz', direction: 'OUTBOUND' }],
    becomes: ['wamid.xyzxyz: status SENT → FAILED, failure null → 131047', 'receipt FAILED for wamid.xyzxyz 131047', 'webhook APPLIED'],
    again: ['receipt FAILED for wamid.xyzxyz 131047', 'webhook APPLIED'],
  },
  'whatsapp-cloud/meta.button_message.json': {
    becomes: [
      'INBOUND WHATSAPP INTERACTIVE_REPLY "Unsubscribe" re=wamid.HBgLMTY1MDM4Nzk0MzkVAgARGBJFNjk2OTMwNEZCQjhGMzUyQUYA of PHONE:+16505551234',
      'consent OPTED_OUT MARKETING KEYWORD',
      'consent OPTED_OUT TRANSACTIONAL KEYWORD',
      'webhook APPLIED',
    ],
  },
  'whatsapp-cloud/meta.contact_sharing_message.json': {
    becomes: ['INBOUND WHATSAPP CONTACTS "Lucía Gómez +1 (983) 555-2319" of PHONE:+16505551234', 'webhook APPLIED'],
  },
  'whatsapp-cloud/meta.image_message.json': {
    becomes: ['INBOUND WHATSAPP MEDIA "Taj Mahal" files=1 of PHONE:+16505551234', 'webhook APPLIED'],
  },
  'whatsapp-cloud/meta.interactive_button_reply_message.json': {
    becomes: [
      'INBOUND WHATSAPP INTERACTIVE_REPLY "Cancel" re=wamid.HBgLMTY1MDM4Nzk0MzkVAgARGBI3MEM2RUJFNkI0RENGQTVDRjUA of PHONE:+16505551234',
      'webhook APPLIED',
    ],
  },
  'whatsapp-cloud/meta.interactive_list_reply_message.json': {
    becomes: [
      'INBOUND WHATSAPP INTERACTIVE_REPLY "Priority Mail Express" re=wamid.HBgLMTY1MDM4Nzk0MzkVAgARGBJGMzEyNzhENTZDMzNGODlDRDgA of PHONE:+16505551234',
      'webhook APPLIED',
    ],
  },
  'whatsapp-cloud/meta.location_message.json': {
    becomes: [
      'INBOUND WHATSAPP LOCATION "Philz Coffee\\n101 Forest Ave, Palo Alto, CA 94301\\n37.44221496582, -122.16165924072" of PHONE:+16505551234',
      'webhook APPLIED',
    ],
  },
  'whatsapp-cloud/meta.reaction_message.json': {
    known: [{ id: 'wamid.HBgLMTY1MDM4Nzk0MzkVAgARGBI0RTJEOTc2ODVERUY5RDlGNkYA', direction: 'OUTBOUND' }],
    becomes: [
      'INBOUND WHATSAPP REACTION "👍" re=wamid.HBgLMTY1MDM4Nzk0MzkVAgARGBI0RTJEOTc2ODVERUY5RDlGNkYA of PHONE:+16505551234',
      'webhook APPLIED',
    ],
  },
  'whatsapp-cloud/meta.system_message.json': {
    known: [{ id: 'wamid.before', direction: 'INBOUND', address: '+16505551234' }],
    becomes: ['identity PHONE:+12195555358', 'webhook APPLIED'],
    again: ['webhook APPLIED'],
  },
  'whatsapp-cloud/meta.text_message.json': {
    becomes: ['INBOUND WHATSAPP TEXT "Does it come in another color?" of PHONE:+16505551234', 'webhook APPLIED'],
  },
  'whatsapp-cloud/meta.text_message_from_click_to_whatsapp_ad.json': {
    becomes: ['INBOUND WHATSAPP TEXT "Hello! Can I get more info on this?" of PHONE:+16505551234', 'webhook APPLIED'],
  },
  'whatsapp-cloud/meta.text_message_with_context_product_inquiry.json': {
    becomes: [
      'INBOUND WHATSAPP TEXT "Is this still available?" re=wamid.HBgLMTY1MDM4Nzk0MzkVAgARGA9wcm9kdWN0X2lucXVpcnkA of PHONE:+16505551234',
      'webhook APPLIED',
    ],
  },
  'whatsapp-cloud/netflie.a_button_notification.json': {
    becomes: ['INBOUND WHATSAPP INTERACTIVE_REPLY "No" re=wamid.ID of PHONE:+16315551234', 'webhook APPLIED'],
  },
  'whatsapp-cloud/netflie.a_button_reply_notification.json': {
    becomes: ['INBOUND WHATSAPP INTERACTIVE_REPLY "button-text" of WHATSAPP:PHONE_NUMBER_ID', 'webhook APPLIED'],
  },
  'whatsapp-cloud/netflie.a_contact_notification.json': {
    becomes: ['INBOUND WHATSAPP CONTACTS "CONTACT_FORMATTED_NAME CONTACT_PHONE CONTACT_EMAIL" of WHATSAPP:PHONE_NUMBER', 'webhook APPLIED'],
  },
  'whatsapp-cloud/netflie.a_flow_notification.json': {
    becomes: ['INBOUND WHATSAPP INTERACTIVE_REPLY "Sent" of WHATSAPP:PHONE_NUMBER_ID', 'webhook APPLIED'],
  },
  'whatsapp-cloud/netflie.a_forwarded_notification.json': {
    becomes: ['INBOUND WHATSAPP TEXT "MESSAGE_BODY" of PHONE:+16315551234', 'webhook APPLIED'],
  },
  'whatsapp-cloud/netflie.a_list_notification.json': {
    becomes: ['INBOUND WHATSAPP INTERACTIVE_REPLY "list_reply_title" of WHATSAPP:PHONE_NUMBER_ID', 'webhook APPLIED'],
  },
  'whatsapp-cloud/netflie.a_location_notification.json': {
    becomes: ['INBOUND WHATSAPP UNSUPPORTED of WHATSAPP:PHONE_NUMBER', 'webhook APPLIED'],
  },
  'whatsapp-cloud/netflie.a_marketing_status_notification.json': {
    known: [{ id: 'wamid.ID', direction: 'OUTBOUND' }],
    becomes: ['wamid.ID: status SENT → DELIVERED', 'receipt DELIVERED for wamid.ID', 'webhook APPLIED'],
    again: ['receipt DELIVERED for wamid.ID', 'webhook APPLIED'],
  },
  'whatsapp-cloud/netflie.a_notification.json': {
    becomes: ['INBOUND WHATSAPP INTERACTIVE_REPLY "No" re=wamid.ID of PHONE:+16315551234', 'webhook APPLIED'],
  },
  'whatsapp-cloud/netflie.a_service_status_notification.json': {
    becomes: ['receipt DELIVERED for wamid.ID kept', 'webhook APPLIED'],
    again: ['receipt DELIVERED for wamid.ID kept', 'webhook APPLIED'],
  },
  'whatsapp-cloud/netflie.a_status_conversation_initiated_notification.json': {
    known: [{ id: 'wamid.ID', direction: 'OUTBOUND' }],
    becomes: ['wamid.ID: status SENT → READ', 'receipt READ for wamid.ID', 'webhook APPLIED'],
    again: ['receipt READ for wamid.ID', 'webhook APPLIED'],
  },
  'whatsapp-cloud/netflie.a_status_notification.json': {
    becomes: ['receipt READ for wamid.ID kept', 'webhook APPLIED'],
    again: ['receipt READ for wamid.ID kept', 'webhook APPLIED'],
  },
  'whatsapp-cloud/netflie.a_status_notification_with_errors.json': {
    known: [{ id: 'amid.ID', direction: 'OUTBOUND' }],
    becomes: ['amid.ID: status SENT → FAILED, failure null → 131053', 'receipt FAILED for amid.ID 131053', 'webhook APPLIED'],
    again: ['receipt FAILED for amid.ID 131053', 'webhook APPLIED'],
  },
  'whatsapp-cloud/netflie.a_status_with_pricing_notification.json': {
    known: [{ id: 'wamid.ID', direction: 'OUTBOUND' }],
    becomes: ['wamid.ID: status SENT → DELIVERED', 'receipt DELIVERED for wamid.ID', 'webhook APPLIED'],
    again: ['receipt DELIVERED for wamid.ID', 'webhook APPLIED'],
  },
  'whatsapp-cloud/netflie.a_sticker_notification.json': {
    becomes: ['INBOUND WHATSAPP MEDIA files=1 of WHATSAPP:SENDER_PHONE_NUMBER', 'webhook APPLIED'],
  },
  'whatsapp-cloud/netflie.a_system_notification.json': {
    becomes: ['webhook UNPARSED a customer has changed, but from what or to what is not said'],
    again: ['webhook UNPARSED a customer has changed, but from what or to what is not said'],
  },
  'whatsapp-cloud/netflie.an_order_notification.json': {
    becomes: ['INBOUND WHATSAPP INTERACTIVE_REPLY "text-message-sent-along-with-the-order" of WHATSAPP:PHONE_NUMBER_ID', 'webhook APPLIED'],
  },
  'whatsapp-cloud/netflie.an_utility_status_notification.json': {
    known: [{ id: 'wamid.ID', direction: 'OUTBOUND' }],
    becomes: ['wamid.ID: status SENT → DELIVERED', 'receipt DELIVERED for wamid.ID', 'webhook APPLIED'],
    again: ['receipt DELIVERED for wamid.ID', 'webhook APPLIED'],
  },
  'whatsapp-cloud/netflie.multiple_text_notification.json': {
    becomes: ['INBOUND WHATSAPP TEXT "MESSAGE_BODY" of WHATSAPP:PHONE_NUMBER', 'webhook APPLIED'],
  },
  'whatsapp-cloud/pywa.account_update.account_restriction.json': {
    becomes: ['health account_update not ok', 'webhook APPLIED'],
    again: ['webhook APPLIED'],
  },
  'whatsapp-cloud/pywa.call_terminate.call_terminate.json': {
    becomes: ['OUTBOUND CALL_LOG CALL ANSWERED of PHONE:+16315553601', 'webhook APPLIED'],
  },
  'whatsapp-cloud/pywa.callback_button.button.json': {
    becomes: [
      'INBOUND WHATSAPP INTERACTIVE_REPLY "title" re=wamid.xyzxyz of PHONE:+972987654321 WHATSAPP:US.13491208655302741918 WHATSAPP:US.ENT.11815799212886844830',
      'webhook APPLIED',
    ],
  },
  'whatsapp-cloud/pywa.callback_button.quick_reply.json': {
    becomes: [
      'INBOUND WHATSAPP INTERACTIVE_REPLY "title" re=wamid.xyzxyz== of PHONE:+972987654321 WHATSAPP:US.13491208655302741918 WHATSAPP:US.ENT.11815799212886844830',
      'webhook APPLIED',
    ],
  },
  'whatsapp-cloud/pywa.callback_selection.callback.json': {
    becomes: [
      'INBOUND WHATSAPP INTERACTIVE_REPLY "title" re=wamid.xyzxyz of PHONE:+972987654321 WHATSAPP:US.13491208655302741918 WHATSAPP:US.ENT.11815799212886844830',
      'webhook APPLIED',
    ],
  },
  'whatsapp-cloud/pywa.callback_selection.description.json': {
    becomes: [
      'INBOUND WHATSAPP INTERACTIVE_REPLY "title" re=wamid.xyzxyz of PHONE:+972987654321 WHATSAPP:US.13491208655302741918 WHATSAPP:US.ENT.11815799212886844830',
      'webhook APPLIED',
    ],
  },
  'whatsapp-cloud/pywa.deleted_message.revoke.json': {
    known: [{ id: '<ORIGINAL_WHATSAPP_MESSAGE_ID>', direction: 'INBOUND' }],
    becomes: ['<ORIGINAL_WHATSAPP_MESSAGE_ID>: body before → , revoked', 'webhook APPLIED'],
  },
  'whatsapp-cloud/pywa.flow_completion.completion.json': {
    becomes: [
      'INBOUND WHATSAPP INTERACTIVE_REPLY "Sent" re=wamid.gvwegfretge== of PHONE:+972987654321 WHATSAPP:US.13491208655302741918 WHATSAPP:US.ENT.11815799212886844830',
      'webhook APPLIED',
    ],
  },
  'whatsapp-cloud/pywa.message.audio.json': {
    becomes: [
      'INBOUND WHATSAPP MEDIA files=1 of PHONE:+972987654321 WHATSAPP:US.13491208655302741918 WHATSAPP:US.ENT.11815799212886844830',
      'webhook APPLIED',
    ],
  },
  'whatsapp-cloud/pywa.message.chosen_location.json': {
    becomes: [
      'INBOUND WHATSAPP LOCATION "Facebook HQ\\n1 Hacker Way, Menlo Park, CA 94025\\n37.4611978, -122.2164385" of PHONE:+972987654321 WHATSAPP:US.13491208655302741918 WHATSAPP:US.ENT.11815799212886844830',
      'webhook APPLIED',
    ],
  },
  'whatsapp-cloud/pywa.message.contacts.json': {
    becomes: [
      'INBOUND WHATSAPP CONTACTS "Chandler Bing +1 555-555-5555\\nMonica +1 666-666-6666\\nRachel Green +1 777-777-7777" of PHONE:+972987654321 WHATSAPP:US.13491208655302741918 WHATSAPP:US.ENT.11815799212886844830',
      'webhook APPLIED',
    ],
  },
  'whatsapp-cloud/pywa.message.current_location.json': {
    becomes: [
      'INBOUND WHATSAPP LOCATION "12.25089, 43.90539" of PHONE:+972987654321 WHATSAPP:US.13491208655302741918 WHATSAPP:US.ENT.11815799212886844830',
      'webhook APPLIED',
    ],
  },
  'whatsapp-cloud/pywa.message.document.json': {
    becomes: [
      'INBOUND WHATSAPP MEDIA "caption" files=1 of PHONE:+972987654321 WHATSAPP:US.13491208655302741918 WHATSAPP:US.ENT.11815799212886844830',
      'webhook APPLIED',
    ],
  },
  'whatsapp-cloud/pywa.message.forwarded.json': {
    becomes: [
      'INBOUND WHATSAPP TEXT "forwarded text" of PHONE:+972987654321 WHATSAPP:US.13491208655302741918 WHATSAPP:US.ENT.11815799212886844830',
      'webhook APPLIED',
    ],
  },
  'whatsapp-cloud/pywa.message.image.json': {
    becomes: [
      'INBOUND WHATSAPP MEDIA files=1 of PHONE:+972987654321 WHATSAPP:US.13491208655302741918 WHATSAPP:US.ENT.11815799212886844830',
      'webhook APPLIED',
    ],
  },
  'whatsapp-cloud/pywa.message.order.json': {
    becomes: [
      'INBOUND WHATSAPP INTERACTIVE_REPLY "3 × HAMBURGER, 2 × FRENCH_FRIES, 2 × SODA" of PHONE:+972987654321 WHATSAPP:US.13491208655302741918 WHATSAPP:US.ENT.11815799212886844830',
      'webhook APPLIED',
    ],
  },
  'whatsapp-cloud/pywa.message.reaction.json': {
    becomes: [
      'INBOUND WHATSAPP REACTION "😮" re=wamid.yzxyzx= of PHONE:+972987654321 WHATSAPP:US.13491208655302741918 WHATSAPP:US.ENT.11815799212886844830',
      'webhook APPLIED',
    ],
  },
  'whatsapp-cloud/pywa.message.referral.json': {
    becomes: [
      'INBOUND WHATSAPP TEXT "BODY" of PHONE:+972987654321 WHATSAPP:US.13491208655302741918 WHATSAPP:US.ENT.11815799212886844830',
      'webhook APPLIED',
    ],
  },
  'whatsapp-cloud/pywa.message.reply.json': {
    becomes: [
      'INBOUND WHATSAPP TEXT "replied text" re=wamid.xyzxyz== of PHONE:+972987654321 WHATSAPP:US.13491208655302741918 WHATSAPP:US.ENT.11815799212886844830',
      'webhook APPLIED',
    ],
  },
  'whatsapp-cloud/pywa.message.static_sticker.json': {
    becomes: [
      'INBOUND WHATSAPP MEDIA files=1 of PHONE:+972987654321 WHATSAPP:US.13491208655302741918 WHATSAPP:US.ENT.11815799212886844830',
      'webhook APPLIED',
    ],
  },
  'whatsapp-cloud/pywa.message.text.json': {
    becomes: [
      'INBOUND WHATSAPP TEXT "Body Text" of PHONE:+972987654321 WHATSAPP:US.13491208655302741918 WHATSAPP:US.ENT.11815799212886844830',
      'webhook APPLIED',
    ],
  },
  'whatsapp-cloud/pywa.message.unreaction_empty.json': {
    becomes: [
      'INBOUND WHATSAPP REACTION re=wamid.yzxyzx= of PHONE:+972987654321 WHATSAPP:US.13491208655302741918 WHATSAPP:US.ENT.11815799212886844830',
      'webhook APPLIED',
    ],
  },
  'whatsapp-cloud/pywa.message.unsupported.json': {
    becomes: [
      'INBOUND WHATSAPP UNSUPPORTED of PHONE:+972987654321 WHATSAPP:US.13491208655302741918 WHATSAPP:US.ENT.11815799212886844830',
      'webhook APPLIED',
    ],
  },
  'whatsapp-cloud/pywa.message.video.json': {
    becomes: [
      'INBOUND WHATSAPP MEDIA "caption" files=1 of PHONE:+972987654321 WHATSAPP:US.13491208655302741918 WHATSAPP:US.ENT.11815799212886844830',
      'webhook APPLIED',
    ],
  },
  'whatsapp-cloud/pywa.message.voice.json': {
    becomes: [
      'INBOUND WHATSAPP MEDIA files=1 of PHONE:+972987654321 WHATSAPP:US.13491208655302741918 WHATSAPP:US.ENT.11815799212886844830',
      'webhook APPLIED',
    ],
  },
  'whatsapp-cloud/pywa.message_status.delivered.json': {
    known: [{ id: 'wamid.xyzxyz', direction: 'OUTBOUND' }],
    becomes: ['wamid.xyzxyz: status SENT → DELIVERED', 'receipt DELIVERED for wamid.xyzxyz', 'webhook APPLIED'],
    again: ['receipt DELIVERED for wamid.xyzxyz', 'webhook APPLIED'],
  },
  'whatsapp-cloud/pywa.message_status.failed.json': {
    known: [{ id: 'wamid.xyzxyz', direction: 'OUTBOUND' }],
    becomes: ['wamid.xyzxyz: status SENT → FAILED, failure null → 130472', 'receipt FAILED for wamid.xyzxyz 130472', 'webhook APPLIED'],
    again: ['receipt FAILED for wamid.xyzxyz 130472', 'webhook APPLIED'],
  },
  'whatsapp-cloud/pywa.message_status.read.json': {
    known: [{ id: 'wamid.xyzxyz', direction: 'OUTBOUND' }],
    becomes: ['wamid.xyzxyz: status SENT → READ', 'receipt READ for wamid.xyzxyz', 'webhook APPLIED'],
    again: ['receipt READ for wamid.xyzxyz', 'webhook APPLIED'],
  },
  'whatsapp-cloud/pywa.message_status.sent.json': {
    known: [{ id: 'wamid.xyzxyz', direction: 'OUTBOUND' }],
    becomes: ['receipt SENT for wamid.xyzxyz', 'webhook APPLIED'],
    again: ['receipt SENT for wamid.xyzxyz', 'webhook APPLIED'],
  },
  'whatsapp-cloud/pywa.message_status.with_tracker.json': {
    known: [{ id: 'wamid.xyzxyz', direction: 'OUTBOUND' }],
    becomes: ['receipt SENT for wamid.xyzxyz', 'webhook APPLIED'],
    again: ['receipt SENT for wamid.xyzxyz', 'webhook APPLIED'],
  },
  'whatsapp-cloud/pywa.outgoing_message.text.json': {
    becomes: ['OUTBOUND WHATSAPP TEXT "Test message" of WHATSAPP:<WHATSAPP_USER_PHONE_NUMBER>', 'webhook APPLIED'],
  },
  'whatsapp-cloud/pywa.system.phone_number_change.json': {
    known: [{ id: 'wamid.before', direction: 'INBOUND', address: '+972987654321' }],
    becomes: ['identity PHONE:+972912345678', 'webhook APPLIED'],
    again: ['webhook APPLIED'],
  },
  'whatsapp-cloud/pywa.template_status_update.approved.json': {
    becomes: ['template order_confirmation en_US APPROVED', 'webhook APPLIED'],
    again: ['webhook APPLIED'],
  },
  'whatsapp-cloud/pywa.template_status_update.rejected.json': {
    becomes: ['template abandoned_cart en REJECTED', 'webhook APPLIED'],
    again: ['webhook APPLIED'],
  },
  'whatsapp-cloud/pywa.user_marketing_preferences.resume.json': {
    known: [{ id: 'wamid.before', direction: 'INBOUND', address: '+16505551234' }],
    becomes: ['consent OPTED_IN MARKETING PROVIDER', 'webhook APPLIED'],
    again: ['webhook APPLIED'],
  },
  'whatsapp-cloud/vercelchat.status_update_message_delivered.json': {
    known: [{ id: 'wamid.HBgNMTU1NTEyMzQ1NjcVAgASGBQzQUYwMDAwMDAwMDAwMDAwMDAA', direction: 'OUTBOUND' }],
    becomes: [
      'wamid.HBgNMTU1NTEyMzQ1NjcVAgASGBQzQUYwMDAwMDAwMDAwMDAwMDAA: status SENT → DELIVERED',
      'receipt DELIVERED for wamid.HBgNMTU1NTEyMzQ1NjcVAgASGBQzQUYwMDAwMDAwMDAwMDAwMDAA',
      'webhook APPLIED',
    ],
    again: ['receipt DELIVERED for wamid.HBgNMTU1NTEyMzQ1NjcVAgASGBQzQUYwMDAwMDAwMDAwMDAwMDAA', 'webhook APPLIED'],
  },
  'whatsapp-cloud/vercelchat.system_message_user_changed_number.json': {
    known: [{ id: 'wamid.before', direction: 'INBOUND', address: '+15551234567' }],
    becomes: ['identity PHONE:+15557654321', 'identity WHATSAPP:US.24817305912873645029', 'webhook APPLIED'],
    again: ['webhook APPLIED'],
  },
  'whatsapp-cloud/vercelchat.text_message_with_business_scoped_user_ids.json': {
    becomes: [
      'INBOUND WHATSAPP TEXT "Hello from a username user" of PHONE:+15551234567 WHATSAPP:US.13491208655302741918 WHATSAPP:US.ENT.11815799212886844830',
      'webhook APPLIED',
    ],
  },
}
