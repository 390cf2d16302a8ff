import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'

/** Encryption at rest. `keyId` is stored beside the ciphertext, so that keys can be rotated. */
export type Secrets = {
  encrypt(plain: string): { keyId: string; ciphertext: Uint8Array<ArrayBuffer> }
  decrypt(keyId: string, ciphertext: Uint8Array): string
}

const NONCE = 12
const TAG = 16

/** Keys are 32 bytes each; the first encrypts, all of them decrypt. */
export function createSecrets(keys: readonly Buffer[]): Secrets {
  const byId = new Map(keys.map((key) => [keyIdOf(key), key]))
  const [current] = keys
  if (current === undefined) throw new Error('createSecrets needs at least one key')
  return {
    encrypt(plain) {
      const nonce = randomBytes(NONCE)
      const cipher = createCipheriv('aes-256-gcm', current, nonce)
      const body = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()])
      return { keyId: keyIdOf(current), ciphertext: new Uint8Array(Buffer.concat([nonce, cipher.getAuthTag(), body])) }
    },
    decrypt(keyId, ciphertext) {
      const key = byId.get(keyId)
      if (key === undefined) throw new Error(`no ENCRYPTION_KEY with id ${keyId} is configured`)
      const bytes = Buffer.from(ciphertext)
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE))
      decipher.setAuthTag(bytes.subarray(NONCE, NONCE + TAG))
      return Buffer.concat([decipher.update(bytes.subarray(NONCE + TAG)), decipher.final()]).toString('utf8')
    },
  }
}

const keyIdOf = (key: Buffer): string => createHash('sha256').update(key).digest('hex').slice(0, 8)
