import { createHash, randomUUID } from 'node:crypto'
import twilio from 'twilio'
import { createChannels } from '../src/channels/registry.ts'
import type { TwilioChannel } from '../src/channels/twilio/address.ts'
import { twilioWire } from '../src/channels/twilio/wire.ts'
import type { Config } from '../src/config.ts'
import type { ChannelAccount } from '../src/db/generated/client.ts'
import { credentialsOf } from '../src/domain/channel-credentials.ts'
import { webhookUrl } from '../src/domain/webhook-url.ts'
import { createSecrets } from '../src/secrets.ts'
import { CommandError } from './command.ts'

type Credentials = { authToken: string; accountSid?: string }

/** The channels whose webhooks can be simulated. */
export const CHANNELS = ['SMS', 'WHATSAPP', 'RCS'] as const satisfies readonly TwilioChannel[]

/** A channel account and what signs its webhooks. */
export type Line = { account: ChannelAccount; credentials: Credentials; slug: string }

type SimulateConfig = Config & { PUBLIC_URL: string }

/** Throws CommandError where no Parley listens on HOST and PORT, so that nothing is begun in vain. */
export async function requireServer(config: Config): Promise<SimulateConfig> {
  const { PUBLIC_URL } = config
  if (PUBLIC_URL === null)
    throw new CommandError('PORT: 0 does not tell where the server listens; set PORT and PUBLIC_URL as the server has them')
  const url = localUrl(config)
  const answer = await fetch(`${url}/health/live`, { signal: AbortSignal.timeout(5_000) }).catch(() => null)
  if (answer === null) throw new CommandError(`nothing answers on ${url}: npm start, or set PORT (and PUBLIC_URL) as the server has them`)
  if (!(await answer.text()).includes('"live"')) throw new CommandError(`PORT: what listens on ${url} is not Parley`)
  return { ...config, PUBLIC_URL }
}

/** Where the server is reached from this machine, whatever PUBLIC_URL says. */
function localUrl({ HOST, PORT }: Config): string {
  const host = HOST === '0.0.0.0' ? '127.0.0.1' : HOST === '::' ? '::1' : HOST
  return `http://${host.includes(':') ? `[${host}]` : host}:${PORT}`
}

/** Decrypts what the account's webhooks are signed with. */
export function openLine(config: Config, account: ChannelAccount, slug: string): Line {
  const adapter = createChannels(config).get(account.provider, account.channel)
  if (adapter.wire?.path !== twilioWire.path) throw new CommandError(`${account.address} does not get its messages from Twilio`)
  try {
    const credentials = credentialsOf({ secrets: createSecrets(config.ENCRYPTION_KEY) }, adapter, account) as Credentials
    return { account, credentials, slug }
  } catch (error) {
    throw new CommandError(`the credentials of ${account.address} cannot be read: ${(error as Error).message}`)
  }
}

/** A SID as Twilio makes them: two letters and 32 hexadecimal digits. */
export const newSid = (prefix: 'CA' | 'MM' | 'SM'): string => `${prefix}${randomUUID().replaceAll('-', '')}`

/** An address as Twilio writes it on this channel. */
export const spelled = (line: Line, address: string): string => {
  const { channel } = line.account
  return channel === 'SMS' ? address : `${channel.toLowerCase()}:${bare(address)}`
}

/** An address without Twilio's prefix of its channel. */
export const bare = (address: string): string => address.replace(/^(whatsapp|rcs):/i, '')

/**
 * Signs the parameters over PUBLIC_URL, as Twilio does, and posts them to the server on this machine. What the server would not understand is
 * refused here. Throws CommandError unless the answer is 200.
 */
export async function postWebhook(
  config: SimulateConfig,
  line: Line,
  segment: string,
  params: Record<string, string>,
  query = '',
): Promise<void> {
  const url = `${webhookUrl(config, twilioWire.path, line.slug, segment)}${query}`
  const parameters = { AccountSid: accountSid(line), ApiVersion: '2010-04-01', ...params }
  const body = new URLSearchParams(parameters).toString()
  const [part] = twilioWire.parse(segment, { method: 'POST', url, headers: {}, body: Buffer.from(body) })
  const fact = part?.facts[0]
  if (fact === undefined || fact.kind === 'unknown') throw new CommandError(fact?.reason ?? 'that says nothing')
  const headers = {
    'content-type': 'application/x-www-form-urlencoded; charset=UTF-8',
    'x-twilio-signature': twilio.getExpectedTwilioSignature(line.credentials.authToken, url, parameters),
  }
  const local = `${localUrl(config)}${url.slice(config.PUBLIC_URL.length)}`
  const answer = await fetch(local, { method: 'POST', headers, body, signal: AbortSignal.timeout(30_000) }).catch((error: Error) => {
    throw new CommandError(`${local} gives no answer: ${error.message}`)
  })
  if (answer.status !== 200)
    throw new CommandError(`the server answers ${answer.status}: ${advice(answer.status, config) ?? (await answer.text())}`)
}

/** A sandbox account has none: one that stays the same for it. */
const accountSid = ({ account, credentials }: Line): string =>
  credentials.accountSid ?? `AC${createHash('md5').update(account.id).digest('hex')}`

function advice(status: number, { PUBLIC_URL }: SimulateConfig): string | null {
  if (status === 403) return `the signature is wrong for it; set PUBLIC_URL as the server has it (here ${PUBLIC_URL}), and ENCRYPTION_KEY`
  if (status === 404) return 'it does not know this account; set DATABASE_URL or DATA_DIR as the server has them'
  return null
}
