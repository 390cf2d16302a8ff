import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** For processes of the product's own: what was compiled once is not compiled again by each of them, which is half of what a command takes. */
export const childEnvironment = {
  PATH: process.env.PATH,
  NODE_COMPILE_CACHE: join(tmpdir(), 'parley-compile-cache'),
}
