import type { Role } from '../db/generated/enums.ts'
import type { Deps } from '../deps.ts'
import { newId } from '../domain/ids.ts'
import { memberRolesTopic } from '../events/bus.ts'
import type { Claims } from './claims.ts'
import { UnauthenticatedError } from './errors.ts'
import type { Viewer } from './viewer.ts'

type Found = Viewer['organization'] & {
  member_id: string | null
  member_name: string | null
  member_email: string | null
  member_role: Role | null
}

type Known = { organization: Viewer['organization']; member: NonNullable<Viewer['member']> }

/**
 * The organization and the member that a token names. A member is made on first sight and follows the token's role, name and e-mail;
 * what a token leaves out stays as it was. A role that changes is rung for, because connections may be open with the former one. Nothing is written while nothing changes. Throws UnauthenticatedError for an unknown organization.
 */
export async function findOrMakeMember(deps: Pick<Deps, 'bus' | 'pool'>, claims: Claims): Promise<Known> {
  for (;;) {
    const found = await find(deps, claims)
    if (found === undefined) throw new UnauthenticatedError("The token's `org` is not an organization of this server.")
    const { member_id, member_name, member_email, member_role, ...organization } = found
    const upToDate =
      member_role === claims.role && (claims.name ?? member_name) === member_name && (claims.email ?? member_email) === member_email
    if (member_id !== null && upToDate) return { organization, member: { id: member_id, name: member_name, email: member_email } }
    const member = await upsert(deps, organization.id, claims)
    if (member !== undefined) {
      if (member_role !== null && member_role !== claims.role) deps.bus.ring(memberRolesTopic)
      return { organization, member }
    }
    // A concurrent request of the same member has just written the same: the next look finds it.
  }
}

async function find({ pool }: Pick<Deps, 'pool'>, claims: Claims): Promise<Found | undefined> {
  const { rows } = await pool.query<Found>({
    name: 'auth-member',
    text: `SELECT o.id, o.slug, o.name, o.timezone, m.id AS member_id, m.name AS member_name, m.email AS member_email, m.role AS member_role
      FROM organization o LEFT JOIN member m ON m.organization_id = o.id AND m.subject = $2
      WHERE o.slug = $1`,
    values: [claims.org, claims.sub],
  })
  return rows[0]
}

async function upsert({ pool }: Pick<Deps, 'pool'>, organizationId: string, claims: Claims): Promise<Known['member'] | undefined> {
  const { rows } = await pool.query<Known['member']>({
    name: 'auth-member-upsert',
    text: `INSERT INTO member AS m (id, organization_id, subject, name, email, role) VALUES ($1, $2, $3, $4, $5, $6::"Role")
      ON CONFLICT (organization_id, subject) DO UPDATE
        SET name = coalesce(excluded.name, m.name), email = coalesce(excluded.email, m.email), role = excluded.role
        WHERE (m.name, m.email, m.role) IS DISTINCT FROM (coalesce(excluded.name, m.name), coalesce(excluded.email, m.email), excluded.role)
      RETURNING m.id, m.name, m.email`,
    values: [newId(), organizationId, claims.sub, claims.name, claims.email, claims.role],
  })
  return rows[0]
}
