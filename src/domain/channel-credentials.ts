import type { AnyChannelAdapter } from '../channels/channel.ts'
import type { ChannelAccount } from '../db/generated/client.ts'
import type { Deps } from '../deps.ts'

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
