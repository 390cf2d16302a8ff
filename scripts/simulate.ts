import { parseArgs } from 'node:util'
import { CommandError, required, runCommand } from './command.ts'
import { call } from './simulated-call.ts'
import { receive } from './simulated-message.ts'
import { report } from './simulated-receipt.ts'
import { CHANNELS } from './twilio-webhook.ts'

const HELP = `Posts a signed Twilio webhook to the running server, as if a customer had written. Settings are the server's (PORT, PUBLIC_URL, …).

npm run simulate -- sms --from +905551112233 "Is my permit ready?"
npm run simulate -- whatsapp --from +905551112233 --name "Ayşe Yılmaz" "Hello"
npm run simulate -- rcs --from +905551112233 "Hello"
npm run simulate -- stop --from +905551112233 [--channel whatsapp]     the customer opts out; start: opts in again
npm run simulate -- call --from +905551112233 [--status no-answer]     a call that is over; missed unless --status completed
npm run simulate -- status --communication <id> --status delivered     a delivery receipt for a message that we sent

  --from           the customer's number
  --to             our number (RCS: our sender's id); the organization's first active one of the channel by default
  --organization   its slug; demo by default
  --name           the customer's profile name (WhatsApp)
  --media          address of a picture or file, repeatable; the sandbox takes data: URLs, e.g. data:text/plain,Hello
  --message-sid    Twilio's id of the message; one that was used before changes nothing
  --count          how many messages, 1 to 10000
  --communication  an id from the graph, or the row's
  --status         sent, delivered, read, failed, undelivered, …; of a call: completed, no-answer, busy, failed, canceled
  --seconds        of a call that was answered
  --error-code     Twilio's, with failed and undelivered, e.g. 30008`

const common = {
  from: { type: 'string' },
  to: { type: 'string' },
  organization: { type: 'string', default: 'demo' },
  'message-sid': { type: 'string' },
} as const
const messageOptions = {
  ...common,
  media: { type: 'string', multiple: true },
  count: { type: 'string', default: '1' },
} as const

await runCommand(HELP, async ([command, ...args]) => {
  if (command === 'sms' || command === 'rcs') {
    const { values, positionals } = parseArgs({ args, allowPositionals: true, options: messageOptions })
    await receive(channelNamed(command), { ...addressed(values), ...said(values, positionals) })
  } else if (command === 'whatsapp') {
    const { values, positionals } = parseArgs({ args, allowPositionals: true, options: { ...messageOptions, name: { type: 'string' } } })
    await receive('WHATSAPP', { ...addressed(values), ...said(values, positionals), name: values.name })
  } else if (command === 'stop' || command === 'start') {
    const { values } = parseArgs({ args, options: { ...common, channel: { type: 'string', default: 'sms' } } })
    await receive(channelNamed(values.channel), { ...addressed(values), body: command.toUpperCase() })
  } else if (command === 'status') {
    const options = { communication: { type: 'string' }, status: { type: 'string' }, 'error-code': { type: 'string' } } as const
    const { values } = parseArgs({ args, options })
    await report(required(values.communication, 'communication'), required(values.status, 'status'), values['error-code'])
  } else if (command === 'call') {
    const options = { ...common, status: { type: 'string', default: 'no-answer' }, seconds: { type: 'string', default: '60' } } as const
    const { values } = parseArgs({ args, options })
    await call({ ...addressed(values), status: values.status, seconds: wholeNumber('seconds', values.seconds, 0, 86_400) })
  } else {
    throw new CommandError('say "sms", "whatsapp", "rcs", "call", "stop", "start" or "status"; see --help')
  }
})

function addressed(values: { from?: string; to?: string; organization: string; 'message-sid'?: string }) {
  return { from: required(values.from, 'from'), to: values.to, organization: values.organization, sid: values['message-sid'] }
}

function said({ media = [], count }: { media?: string[]; count: string }, words: string[]) {
  const body = words.join(' ')
  if (body === '' && media.length === 0) throw new CommandError('what does the customer write? Give a text, or --media')
  return { body, media, count: wholeNumber('count', count, 1, 10_000) }
}

function channelNamed(name: string): (typeof CHANNELS)[number] {
  const channel = CHANNELS.find((each) => each === name.toUpperCase())
  if (channel !== undefined) return channel
  throw new CommandError(`--channel must be sms, whatsapp or rcs, not "${name}"`)
}

function wholeNumber(option: string, text: string, min: number, max: number): number {
  const number = Number(text)
  if (Number.isInteger(number) && number >= min && number <= max) return number
  throw new CommandError(`--${option} must be a whole number from ${min} to ${max}, not "${text}"`)
}
