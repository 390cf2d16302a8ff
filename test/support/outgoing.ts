import type { Outgoing } from '../../src/channels/channel.ts'

/** A text message as an adapter is given it to send. */
export const outgoingMessage = (changes: Partial<Outgoing> = {}): Outgoing => ({
  communicationId: '0198c2a0-0000-7000-8000-000000000001',
  channel: 'SMS',
  from: '+15005550006',
  to: '+905551112233',
  body: 'Your permit is ready.',
  subject: null,
  content: { kind: 'TEXT' },
  template: null,
  files: [],
  inReplyTo: null,
  email: null,
  humanAgent: false,
  statusCallbackUrl: 'https://inbox.test/status?communicationId=0198c2a0-0000-7000-8000-000000000001',
  ...changes,
})
