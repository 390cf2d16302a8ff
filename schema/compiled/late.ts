import { randomBytes } from 'node:crypto'
import type { SignedIn } from '../context.ts'
import type { Late } from './compile.ts'

// Nobody outside this process has seen it, so that no message can contain it.
const MARK = `late-${randomBytes(16).toString('hex')}-`

export const newLate = (): Late => ({ mark: MARK, makers: [] })

/** Puts what this process makes into the JSON of a statement. */
export async function withLate({ mark, makers }: Late, json: string, context: SignedIn): Promise<string> {
  if (makers.length === 0) return json
  const [first = '', ...rest] = json.split(`"${mark}`)
  const made = rest.map(async (text) => {
    const end = text.indexOf('"')
    const colon = text.indexOf(':')
    const make = makers[Number(text.slice(0, colon))]
    if (make === undefined) throw new Error('a value that is made late has no maker')
    return JSON.stringify(await make(context, text.slice(colon + 1, end))) + text.slice(end + 1)
  })
  return [first, ...(await Promise.all(made))].join('')
}
