import type { Role } from '../db/generated/enums.ts'
import type { Visitor } from '../visitor-tokens.ts'

/** Who is asking. `member` is null for an API key, `apiKeyId` for a token; `expiresAt` is null where the credentials do not expire. */
export type Viewer = {
  organization: { id: string; slug: string; name: string; timezone: string }
  role: Role
  member: { id: string; name: string | null; email: string | null } | null
  apiKeyId: string | null
  expiresAt: Date | null
}

/** One of the two: staff (or a program of theirs), or a visitor of a web chat. What is open to one is closed to the other. */
export type Caller = { viewer: Viewer; visitor: null } | { viewer: null; visitor: Visitor }

const RANK = { VIEWER: 0, AGENT: 1, ADMIN: 2 } satisfies Record<Role, number>

/** Whether the viewer may do what `role` may: an ADMIN may do what an AGENT may, an AGENT what a VIEWER may. */
export const hasRole = (viewer: Pick<Viewer, 'role'>, role: Role): boolean => RANK[viewer.role] >= RANK[role]
