import { z } from 'zod'
import { cleanText } from '../domain/text.ts'
import { UnauthenticatedError } from './errors.ts'

const identifier = (claim: string) =>
  z.string(`The token's \`${claim}\` must be a text.`).regex(/^[^\0]{1,255}$/u, `The token's \`${claim}\` must have 1 to 255 characters.`)

const about = (claim: string) =>
  z
    .string(`The token's \`${claim}\` must be a text.`)
    .max(320, `The token's \`${claim}\` must have at most 320 characters.`)
    .nullish()
    .transform((value) => cleanText(value ?? '').trim() || null)

const Claims = z.object({
  sub: identifier('sub'),
  org: identifier('org'),
  role: z.enum(['ADMIN', 'AGENT', 'VIEWER'], "The token's `role` must be ADMIN, AGENT or VIEWER."),
  name: about('name'),
  email: about('email'),
  exp: z.number().nullish(),
})

/** What a token says: `sub` names the member, `org` the organization by its slug; an absent `name` or `email` is null. */
export type Claims = z.output<typeof Claims>

/** Reads the claims of a token whose signature and times are already checked. Throws UnauthenticatedError that names the first wrong claim. */
export function readClaims(payload: unknown): Claims {
  const parsed = Claims.safeParse(payload)
  if (parsed.success) return parsed.data
  throw new UnauthenticatedError(parsed.error.issues[0]?.message ?? 'The token is not valid.')
}
