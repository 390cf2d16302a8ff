import { createReadStream } from 'node:fs'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'

/** Where attachment bytes live. Keys are made by us: letters, digits, `-` and `/` only. */
export type Storage = {
  put(key: string, body: Buffer): Promise<void>
  /** The stream errors with ENOENT where the key is unknown. */
  get(key: string): Readable
}

/** Files under `root`; a file appears whole or not at all. */
export function fileStorage(root: string): Storage {
  const pathOf = (key: string): string => {
    if (!/^[\w-]+(\/[\w-]+)*$/.test(key)) throw new Error(`not a storage key: ${key}`)
    return join(root, key)
  }
  return {
    async put(key, body) {
      const path = pathOf(key)
      await mkdir(dirname(path), { recursive: true })
      await writeFile(`${path}.part`, body)
      await rename(`${path}.part`, path)
    },
    get: (key) => createReadStream(pathOf(key)),
  }
}
