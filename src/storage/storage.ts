import type { Readable } from 'node:stream'

/** Where the bytes of attachments and of large webhooks live. Keys are made by us: letters, digits, `-`, `_` and `/` only. */
export type Storage = {
  /** Whole or not at all; replaces what is there. */
  put(key: string, body: Buffer): Promise<void>
  /** The stream errors with ENOENT where the key is unknown. */
  get(key: string): Readable
  /** Nothing happens where the key is unknown. */
  delete(key: string): Promise<void>
}

/** Throws an Error where the key is not of our making. */
export function checkedKey(key: string): string {
  if (/^[\w-]+(\/[\w-]+)*$/.test(key)) return key
  throw new Error(`not a storage key: ${key}`)
}
