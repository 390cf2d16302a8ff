import type { Expectation } from './expectation.ts'

/** What each recorded webhook of SendGrid, and each e-mail posted by its Inbound Parse, becomes; read against the files. */
export const sendgrid: Record<string, Expectation> = {
  'sendgrid/events/anymail.bounce_event.json': {
    known: [{ id: 'Lli-03HcQ5-JLybO9fXsJg', direction: 'OUTBOUND', address: 'noreply@example.com' }],
    becomes: [
      'Lli-03HcQ5-JLybO9fXsJg: status SENT → FAILED, failure null → 5.1.1',
      'receipt FAILED for Lli-03HcQ5-JLybO9fXsJg 5.1.1',
      'consent OPTED_OUT MARKETING BOUNCE',
      'consent OPTED_OUT TRANSACTIONAL BOUNCE',
      'webhook APPLIED',
    ],
    again: ['webhook APPLIED'],
  },
  'sendgrid/events/anymail.deferred_event.json': {
    known: [{ id: 'u9Gvi3mzT6iC2poAb58_qQ', direction: 'OUTBOUND', address: 'recipient@example.com' }],
    becomes: ['receipt PENDING for u9Gvi3mzT6iC2poAb58_qQ', 'webhook APPLIED'],
  },
  'sendgrid/events/anymail.delivered_event.json': {
    known: [{ id: 'wrfRRvF7Q0GgwUo2CvDmEA', direction: 'OUTBOUND', address: 'recipient@example.com' }],
    becomes: ['wrfRRvF7Q0GgwUo2CvDmEA: status SENT → DELIVERED', 'receipt DELIVERED for wrfRRvF7Q0GgwUo2CvDmEA', 'webhook APPLIED'],
  },
  'sendgrid/events/anymail.dropped_unsubscribed_event.json': {
    known: [{ id: 'wrfRRvF7Q0GgwUo2CvDmEA', direction: 'OUTBOUND', address: 'unsubscribe@example.com' }],
    becomes: [
      'wrfRRvF7Q0GgwUo2CvDmEA: status SENT → FAILED, failure null → dropped',
      'receipt FAILED for wrfRRvF7Q0GgwUo2CvDmEA dropped',
      'consent OPTED_OUT MARKETING UNSUBSCRIBE',
      'webhook APPLIED',
    ],
    again: ['webhook APPLIED'],
  },
  'sendgrid/events/anymail.open_event.json': {
    known: [{ id: 'wrfRRvF7Q0GgwUo2CvDmEA', direction: 'OUTBOUND', address: 'recipient@example.com' }],
    becomes: ['wrfRRvF7Q0GgwUo2CvDmEA: status SENT → READ', 'receipt READ for wrfRRvF7Q0GgwUo2CvDmEA', 'webhook APPLIED'],
  },
  'sendgrid/events/anymail.processed_event.json': {
    known: [{ id: 'wrfRRvF7Q0GgwUo2CvDmEA', direction: 'OUTBOUND', address: 'recipient@example.com' }],
    becomes: ['receipt SENT for wrfRRvF7Q0GgwUo2CvDmEA', 'webhook APPLIED'],
  },
  'sendgrid/events/docs.all_types_batch.json': {
    known: [{ id: 'sg_message_id', direction: 'OUTBOUND', address: 'example@test.com' }],
    becomes: [
      'sg_message_id: status SENT → FAILED, failure null → 5.0.0',
      'receipt SENT for sg_message_id',
      'receipt PENDING for sg_message_id',
      'receipt DELIVERED for sg_message_id',
      'receipt READ for sg_message_id',
      'receipt READ for sg_message_id',
      'receipt FAILED for sg_message_id 5.0.0',
      'receipt FAILED for sg_message_id dropped',
      'receipt FAILED for sg_message_id spamreport',
      'consent OPTED_OUT MARKETING UNSUBSCRIBE',
      'consent OPTED_OUT MARKETING UNSUBSCRIBE',
      'consent OPTED_IN MARKETING PROVIDER',
      'consent OPTED_OUT MARKETING BOUNCE',
      'consent OPTED_OUT MARKETING BOUNCE',
      'consent OPTED_OUT MARKETING SPAM_REPORT',
      'consent OPTED_OUT TRANSACTIONAL SPAM_REPORT',
      'consent OPTED_OUT TRANSACTIONAL BOUNCE',
      'consent OPTED_OUT TRANSACTIONAL BOUNCE',
      'webhook APPLIED',
    ],
    again: ['webhook APPLIED'],
  },
  'sendgrid/events/docs.bounce_bounce.json': {
    known: [{ id: '14c5d75ce93', direction: 'OUTBOUND', address: 'example@test.com' }],
    becomes: [
      '14c5d75ce93: status SENT → FAILED, failure null → 5.0.0',
      'receipt FAILED for 14c5d75ce93 5.0.0',
      'consent OPTED_OUT MARKETING BOUNCE',
      'consent OPTED_OUT TRANSACTIONAL BOUNCE',
      'webhook APPLIED',
    ],
    again: ['webhook APPLIED'],
  },
  'sendgrid/events/docs.deferred.json': {
    known: [{ id: '14c5d75ce93', direction: 'OUTBOUND', address: 'example@test.com' }],
    becomes: ['receipt PENDING for 14c5d75ce93', 'webhook APPLIED'],
  },
  'sendgrid/events/docs.delivered.json': {
    known: [{ id: '14c5d75ce93', direction: 'OUTBOUND', address: 'example@test.com' }],
    becomes: ['14c5d75ce93: status SENT → DELIVERED', 'receipt DELIVERED for 14c5d75ce93', 'webhook APPLIED'],
  },
  'sendgrid/events/docs.dropped.json': {
    known: [{ id: '14c5d75ce93', direction: 'OUTBOUND', address: 'example@test.com' }],
    becomes: [
      '14c5d75ce93: status SENT → FAILED, failure null → dropped',
      'receipt FAILED for 14c5d75ce93 dropped',
      'consent OPTED_OUT MARKETING BOUNCE',
      'consent OPTED_OUT TRANSACTIONAL BOUNCE',
      'webhook APPLIED',
    ],
    again: ['webhook APPLIED'],
  },
  'sendgrid/events/docs.open.json': {
    known: [{ id: '14c5d75ce93', direction: 'OUTBOUND', address: 'example@test.com' }],
    becomes: ['14c5d75ce93: status SENT → READ', 'receipt READ for 14c5d75ce93', 'webhook APPLIED'],
  },
  'sendgrid/events/docs.processed.json': {
    known: [{ id: '14c5d75ce93', direction: 'OUTBOUND', address: 'example@test.com' }],
    becomes: ['receipt SENT for 14c5d75ce93', 'webhook APPLIED'],
  },
  'sendgrid/events/docs.spamreport.json': {
    known: [{ id: '14c5d75ce93', direction: 'OUTBOUND', address: 'example@test.com' }],
    becomes: [
      '14c5d75ce93: status SENT → FAILED, failure null → spamreport',
      'receipt FAILED for 14c5d75ce93 spamreport',
      'consent OPTED_OUT MARKETING SPAM_REPORT',
      'consent OPTED_OUT TRANSACTIONAL SPAM_REPORT',
      'webhook APPLIED',
    ],
    again: ['webhook APPLIED'],
  },
  'sendgrid/events/docs.unique_args.json': {
    becomes: ['receipt READ for sendgrid_internal_message_id kept', 'webhook APPLIED'],
    again: ['receipt READ for sendgrid_internal_message_id kept', 'webhook APPLIED'],
  },
  'sendgrid/events/docs.unsubscribe.json': {
    known: [{ id: '14c5d75ce93', direction: 'OUTBOUND', address: 'example@test.com' }],
    becomes: ['consent OPTED_OUT MARKETING UNSUBSCRIBE', 'webhook APPLIED'],
    again: ['webhook APPLIED'],
  },
  'sendgrid/inbound-parse/anymail.inbound_basics.fields.json': {
    becomes: ['INBOUND EMAIL EMAIL [Test subject] "Test body plain" of EMAIL:from+test@example.org', 'webhook APPLIED'],
  },
  'sendgrid/inbound-parse/docs.default_payload_fields.json': {
    becomes: [
      'INBOUND EMAIL EMAIL [Different File Types] "Here\'s an email with multiple attachments" of EMAIL:example@example.com',
      'webhook APPLIED',
    ],
  },
  'sendgrid/inbound-parse/sendgrid_python.default_data.crlf.multipart': {
    becomes: ['INBOUND EMAIL EMAIL [Testing non-raw] "Hello Twilio SendGrid!" of EMAIL:test@example.com', 'webhook APPLIED'],
  },
  'sendgrid/inbound-parse/sendgrid_python.default_data.multipart': {
    becomes: ['INBOUND EMAIL EMAIL [Testing non-raw] "Hello Twilio SendGrid!" of EMAIL:test@example.com', 'webhook APPLIED'],
  },
  'sendgrid/inbound-parse/sendgrid_python.raw_data.crlf.multipart': {
    becomes: ['INBOUND EMAIL EMAIL [Inbound Parse Test Raw Data] "Hello Twilio SendGrid!" of EMAIL:test@example.com', 'webhook APPLIED'],
  },
  'sendgrid/inbound-parse/sendgrid_python.raw_data.multipart': {
    becomes: ['INBOUND EMAIL EMAIL [Inbound Parse Test Raw Data] "Hello Twilio SendGrid!" of EMAIL:test@example.com', 'webhook APPLIED'],
  },
  'sendgrid/inbound-parse/sendgrid_python.raw_data_with_attachments.crlf.multipart': {
    becomes: [
      'INBOUND EMAIL EMAIL [Inbound Parse Test Raw Data with Attachment] "Hello Twilio SendGrid!" files=1 of EMAIL:test@example.com',
      'webhook APPLIED',
    ],
  },
  'sendgrid/inbound-parse/sendgrid_python.raw_data_with_attachments.multipart': {
    becomes: [
      'INBOUND EMAIL EMAIL [Inbound Parse Test Raw Data with Attachment] "Hello Twilio SendGrid!" files=1 of EMAIL:test@example.com',
      'webhook APPLIED',
    ],
  },
  'email/attachment_emails.attachment_nonascii_filename.eml': {
    becomes: ['INBOUND EMAIL EMAIL [testing] "This is the first part." files=1 of EMAIL:foo@example.com', 'webhook APPLIED'],
  },
  'email/attachment_emails.attachment_only_email.eml': {
    becomes: ['INBOUND EMAIL EMAIL [this message JUST contains an attachment] files=1 of EMAIL:rfinnie@domain.dom', 'webhook APPLIED'],
  },
  'email/attachment_emails.attachment_pdf.eml': {
    becomes: [
      'INBOUND EMAIL EMAIL [Another PDF with 🎉 Unicode chars in it 🍿] "Just attaching another PDF, here, to see what the message looks like,\\nand to see if I can figure out what is going wrong here." files=1 of EMAIL:xxxx@xxxx.com',
      'webhook APPLIED',
    ],
  },
  'email/attachment_emails.attachment_with_encoded_name.eml': {
    becomes: [
      'INBOUND EMAIL EMAIL [Fwd: Signed email causes file attachments] "We should not include these files or vcards as attachments.\\n\\n---------- Forwarded message ----------\\nFrom: xxxxx xxxxxx … (298)" files=1 of EMAIL:xxxxxxxxx.xxxxxxx@gmail.com',
      'webhook APPLIED',
    ],
  },
  'email/error_emails.empty_in_reply_to.eml': {
    becomes: ['INBOUND EMAIL EMAIL [illegal copy of our patient education software] of EMAIL:ak@g.com', 'webhook APPLIED'],
  },
  'email/error_emails.missing_body.eml': { becomes: ['INBOUND EMAIL EMAIL [REDACTED] of EMAIL:redacted@attglobal.net', 'webhook APPLIED'] },
  'email/mime_emails.raw_email7.eml': {
    becomes: ['INBOUND EMAIL EMAIL [testing] "This is the first part." files=3 of EMAIL:foo@example.com', 'webhook APPLIED'],
  },
  'email/mime_emails.raw_email_with_nested_attachment.eml': {
    becomes: [
      'INBOUND EMAIL EMAIL [Testing attachments] "Here is a test of an attachment via email.\\n\\n- Jamis" files=2 of EMAIL:jamis@37signals.com',
      'webhook APPLIED',
    ],
  },
  'email/mime_emails.sig_only_email.eml': {
    becomes: [
      'INBOUND EMAIL EMAIL [Re: Testing multipart/signed] "This is random text, not what has been signed below, ie, this sig\\nemail is not signed correctly." files=1 of EMAIL:test@test.lindsaar.net',
      'webhook APPLIED',
    ],
  },
  'email/mime_emails.two_from_in_message.eml': {
    becomes: [
      'INBOUND EMAIL EMAIL [Sending messages include last little bit] "When sending email:\\n* From Hotmail you get the ads as well.\\n* From GMail you also get the person\'s signature.\\n\\nI\'m curio… (258)" of EMAIL:tester1@test.com',
      'webhook APPLIED',
    ],
  },
  'email/multi_charset.japanese.eml': {
    becomes: [
      'INBOUND EMAIL EMAIL [まみむめも] "かきくえこ\\n\\n-- \\nhttp://lindsaar.net/\\nRails, RSpec and Life blog...." of EMAIL:raasdnil@gmail.com',
      'webhook APPLIED',
    ],
  },
  'email/multi_charset.japanese_iso_2022.eml': {
    becomes: ['INBOUND EMAIL EMAIL [まみむめも] "すみません。" of EMAIL:raasdnil@gmail.com', 'webhook APPLIED'],
  },
  'email/multipart_report_emails.multi_address_bounce1.eml': {
    becomes: [
      'INBOUND EMAIL EMAIL [Undelivered Mail Returned to Sender] "This is the mail system at host lvmail01.LL.com.\\n\\nI\'m sorry to have to inform you that your message could not\\nbe deliver… (2569)" files=2 of EMAIL:mailer-daemon@lvmail01.ll.com',
      'webhook APPLIED',
    ],
  },
  'email/multipart_report_emails.report_422.eml': {
    becomes: [
      'INBOUND EMAIL EMAIL [Warning: could not send message for past 8 hours] "    **********************************************\\n    **      THIS IS A WARNING MESSAGE ONLY      **\\n    **  YOU DO NOT… (861)" files=2 of EMAIL:mailer-daemon@tppppp.com.au',
      'webhook APPLIED',
    ],
  },
  'email/plain_emails.basic_email.eml': {
    becomes: [
      'INBOUND EMAIL EMAIL [Testing 123] "Plain email.\\n\\nHope it works well!\\n\\nMikel" of EMAIL:test@lindsaar.net',
      'webhook APPLIED',
    ],
  },
  'email/plain_emails.raw_email_multiple_from.eml': {
    becomes: [
      'INBOUND EMAIL EMAIL [/home/svn/public/minebox revision 214] "<p><b>recordkick</b> 2007-10-22 23:45:23 +0000 (Mon, 22 Oct 2007)</p><p>test\\nsubversion<br>\\n</p><hr noshade><pre><font c… (619)" of EMAIL:tim@powerupdev.com',
      'webhook APPLIED',
    ],
  },
  'email/plain_emails.raw_email_reply.eml': {
    becomes: ['INBOUND EMAIL EMAIL [Re: Test reply email] "Message body" of EMAIL:xxxxxxxx@xxx.org', 'webhook APPLIED'],
  },
  'email/plain_emails.raw_email_simple.eml': {
    becomes: ['INBOUND EMAIL EMAIL [Testing outlook] "Hello Mikel" of EMAIL:mikel@nowhere.com', 'webhook APPLIED'],
  },
  'email/plain_emails.raw_email_with_at_display_name.eml': {
    becomes: [
      'INBOUND EMAIL EMAIL [Testing 123] "Plain email.\\n\\nHope it works well!\\n\\nMikel" of EMAIL:test@lindsaar.net',
      'webhook APPLIED',
    ],
  },
  'email/plain_emails.raw_email_with_bad_date.eml': {
    becomes: [
      'INBOUND EMAIL EMAIL [Microsoft Vlsta & Office2007, Just released for 79$ Save 1599.95$ 0ff Retai|] "hotnewsoft . com" of EMAIL:subventive@vodtravel.com',
      'webhook APPLIED',
    ],
  },
  'email/rfc2822.example09.eml': {
    becomes: [
      'INBOUND EMAIL EMAIL [Saying Hello] "This is a message just to say hello.\\nSo, \\"Hello\\"." of EMAIL:jdoe@machine.example',
      'webhook APPLIED',
    ],
  },
  'email/rfc2822.example10.eml': { becomes: ['INBOUND EMAIL EMAIL "Testing." of EMAIL:pete@silly.test', 'webhook APPLIED'] },
}
