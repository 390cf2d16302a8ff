import type { AnyChannelAdapter } from '../channels/channel.ts'
import type { ChannelAccount } from '../db/generated/client.ts'
import type { ChannelType, Provider } from '../db/generated/enums.ts'
import type { Deps } from '../deps.ts'
import { ValidationError } from './errors.ts'

/** Exactly one is set; its name is the provider's in lower case. */
export type CredentialsInput = Partial<Record<Lowercase<Provider>, object | null>>

const path = ['input', 'credentials']

/** The adapter that the credentials are for, and what its schema makes of them. Throws ValidationError, which names the field. */
export function chosenAdapter(
  deps: Pick<Deps, 'channels'>,
  channel: ChannelType,
  input: CredentialsInput,
): { adapter: AnyChannelAdapter; credentials: unknown } {
  const chosen = Object.entries(input).flatMap(([name, value]) => (value === null || value === undefined ? [] : [[name, value] as const]))
  const [entry] = chosen
  if (entry === undefined || chosen.length > 1) throw new ValidationError('credentials needs exactly one provider.', path)
  const [name, given] = entry
  const provider = name.toUpperCase() as Provider
  const adapter = deps.channels.find(provider, channel)
  if (adapter === undefined) throw new ValidationError(`${provider} does not offer the channel ${channel}.`, ['input', 'channel'])
  const present = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null && value !== undefined))
  const parsed = adapter.credentials.safeParse(present)
  if (parsed.success) return { adapter, credentials: parsed.data }
  const issue = parsed.error.issues[0]
  const field = issue?.path.map(String) ?? []
  const missing = field.length === 1 && !Object.hasOwn(present, field[0] ?? '')
  const message = missing ? `is needed for ${channel} by ${provider}.` : (issue?.message ?? 'wrong')
  throw new ValidationError(`${field.join('.') || name}: ${message}`, [...path, name, ...field])
}

/** The account's decrypted credentials, in the shape that the adapter's schema gives. Never log or return them. */
export function credentialsOf(
  deps: Pick<Deps, 'secrets'>,
  adapter: AnyChannelAdapter,
  account: Pick<ChannelAccount, 'id' | 'credentials' | 'credentialsKey'>,
): unknown {
  if (account.credentials === null || account.credentialsKey === null) throw new Error(`channel account ${account.id} has no credentials`)
  return adapter.credentials.parse(JSON.parse(deps.secrets.decrypt(account.credentialsKey, account.credentials)))
}

/** What is stored of credentials. */
export function sealedCredentials(
  deps: Pick<Deps, 'secrets'>,
  credentials: unknown,
): { credentials: Uint8Array<ArrayBuffer>; credentialsKey: string } {
  const { ciphertext, keyId } = deps.secrets.encrypt(JSON.stringify(credentials))
  return { credentials: ciphertext, credentialsKey: keyId }
}
