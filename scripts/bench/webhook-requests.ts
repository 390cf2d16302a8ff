import { createHmac, randomBytes } from 'node:crypto'

/**
 * `paths`: where they are posted in turn; `to`: the account's number; `publicUrl`: what Twilio signs before the path. From any of `senders`
 * numbers, or, where `firstSender` is given, each from the one after the one before.
 */
export type WebhookSource = {
  publicUrl: string
  paths: string[]
  to: string
  accountSid: string
  authToken: string
  senders: number
  firstSender?: number
}

const texts = [
  'Hello, is my permit ready? I was told to ask today.',
  'Can I still change the appointment to Thursday afternoon?',
  'Thank you, that answers my question!',
  'I have sent the form twice now and nobody has called me back yet. What else do you need from me?',
]

/** Signed SMS webhooks as Twilio posts them, as bytes that are ready to be written to a socket. */
export function webhookRequests(source: WebhookSource, count: number): Buffer[] {
  return Array.from({ length: count }, (_, index) => {
    const path = source.paths[index % source.paths.length] ?? ''
    const body = new URLSearchParams(parameters(source, index)).toString()
    const signature = sign(source.authToken, source.publicUrl + path, body)
    return Buffer.from(
      `POST ${path} HTTP/1.1\r\nHost: bench\r\nUser-Agent: TwilioProxy/1.1\r\nX-Twilio-Signature: ${signature}\r\n` +
        `Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    )
  })
}

/** https://www.twilio.com/docs/messaging/guides/webhook-request */
function parameters({ to, accountSid, senders, firstSender }: WebhookSource, index: number): Record<string, string> {
  const sid = `SM${randomBytes(16).toString('hex')}`
  const sender = firstSender === undefined ? Math.floor(Math.random() * senders) : firstSender + index
  return {
    ToCountry: 'US',
    ToState: '',
    SmsMessageSid: sid,
    NumMedia: '0',
    ToCity: '',
    FromZip: '',
    SmsSid: sid,
    FromState: '',
    SmsStatus: 'received',
    FromCity: '',
    Body: texts[Math.floor(Math.random() * texts.length)] ?? '',
    FromCountry: 'TR',
    To: to,
    ToZip: '',
    NumSegments: '1',
    MessageSid: sid,
    AccountSid: accountSid,
    From: `+90555${String(sender).padStart(7, '0')}`,
    ApiVersion: '2010-04-01',
  }
}

/** https://www.twilio.com/docs/usage/webhooks/webhooks-security */
function sign(authToken: string, url: string, body: string): string {
  const sorted = [...new URLSearchParams(body)].sort(([a], [b]) => (a < b ? -1 : 1))
  const signed = url + sorted.map(([name, value]) => name + value).join('')
  return createHmac('sha1', authToken).update(signed).digest('base64')
}
