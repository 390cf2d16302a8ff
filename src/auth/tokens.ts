import { createSecretKey } from 'node:crypto'
import { SignJWT } from 'jose'
import type { Role } from '../db/generated/enums.ts'

/** What a token is to say; `expiresIn` is a duration such as "12h" or "30 days", null: it never expires. */
export type TokenContent = {
  /** AUTH_JWT_SECRET. */
  secret: string
  /** The organization's slug. */
  organization: string
  role: Role
  subject: string
  name?: string
  email?: string
  expiresIn: string | null
}

/** A JWT (HS256) that the server accepts. Throws a TypeError where `expiresIn` is no duration. */
export async function signToken({ secret, organization, role, subject, name, email, expiresIn }: TokenContent): Promise<string> {
  const token = new SignJWT({ org: organization, role, name, email }).setProtectedHeader({ alg: 'HS256' }).setSubject(subject).setIssuedAt()
  if (expiresIn !== null) token.setExpirationTime(expiresIn)
  return token.sign(createSecretKey(secret, 'utf8'))
}
