import type { Viewer as ViewerShape } from '../src/auth/viewer.ts'
import type { Member as MemberRow } from '../src/db/generated/client.ts'
import { builder } from './builder.ts'
import { columnsOf } from './columns.ts'
import { column, timeColumn } from './compiled/field.ts'
import { type Context, organizationOf, signedIn } from './context.ts'
import { Role } from './enums.ts'
import { globalId } from './global-id.ts'
import { inOrder } from './loaders.ts'

export const Organization = builder.loadableNodeRef('Organization', {
  id: { resolve: (organization) => organization.id },
  load: async (ids: string[], context: Context) =>
    inOrder(
      ids,
      await context.deps.db.organization.findMany({ where: { id: { in: ids.filter((id) => id === organizationOf(context)) } } }),
    ),
})
Organization.implement({
  description: 'A tenant: what belongs to it is seen by its members only.',
  fields: (t) => ({
    slug: t.exposeString('slug', { ...column('slug'), description: 'Its name in webhook addresses and tokens.' }),
    name: t.exposeString('name', column('name')),
    timezone: t.exposeString('timezone', {
      ...column('timezone'),
      description: 'IANA name, e.g. Europe/Istanbul; it says when "today" begins.',
    }),
    unreadCount: t.exposeInt('unreadCount', { ...column('unread_count'), description: 'Inbound communications that nobody has read.' }),
    createdAt: t.field({ type: 'DateTime', ...timeColumn('created_at'), resolve: (organization) => organization.createdAt }),
  }),
})

export const Member = builder.loadableNodeRef('Member', {
  id: { resolve: (member) => member.id },
  load: async (ids: string[], context: Context) => {
    const own = ownMember(context)
    const others = ids.filter((id) => id !== own?.id)
    const where = { id: { in: others }, organizationId: organizationOf(context) }
    const rows = others.length === 0 ? [] : await context.deps.db.member.findMany({ where, ...columnsOf(context, 'Member') })
    return inOrder(ids, own === null ? rows : [...rows, own])
  },
})

/** Who is asking has been looked up already, with all that the graph shows of a member. */
function ownMember(context: Context): MemberRow | null {
  const { member, role } = signedIn(context).viewer
  return member === null ? null : ({ ...member, role } as MemberRow)
}

Member.implement({
  description: 'Someone on the staff; made when their token is first seen.',
  fields: (t) => ({
    name: t.exposeString('name', { ...column('name'), nullable: true }),
    email: t.exposeString('email', { ...column('email'), nullable: true }),
    role: t.field({ type: Role, description: 'As in their latest token.', ...column('role'), resolve: (member) => member.role }),
  }),
})

const Viewer = builder.objectRef<ViewerShape>('Viewer').implement({
  description: 'Who is asking.',
  fields: (t) => ({
    id: t.id({
      resolve: (viewer) => (viewer.member === null ? globalId('ApiKey', viewer.apiKeyId ?? '') : globalId('Member', viewer.member.id)),
    }),
    role: t.field({ type: Role, resolve: (viewer) => viewer.role }),
    unreadCount: t.int({
      description: "The organization's unread inbound communications.",
      resolve: async (viewer, _args, { deps }) =>
        (await deps.db.organization.findUniqueOrThrow({ where: { id: viewer.organization.id }, select: { unreadCount: true } }))
          .unreadCount,
    }),
    organization: t.field({ type: Organization, resolve: (viewer) => viewer.organization.id }),
    member: t.field({
      type: Member,
      nullable: true,
      description: 'null: an API key is asking.',
      resolve: (viewer) => viewer.member?.id,
    }),
  }),
})

builder.queryFields((t) => ({
  viewer: t.field({ type: Viewer, resolve: (_root, _args, context) => signedIn(context).viewer }),
  members: t.field({
    type: [Member],
    description: 'Everyone on the staff who was ever seen, by name; at most 1,000.',
    complexity: { field: 1, multiplier: 20 },
    resolve: (_root, _args, context) =>
      context.deps.db.member.findMany({
        where: { organizationId: organizationOf(context) },
        orderBy: [{ name: 'asc' }, { id: 'asc' }],
        take: 1000,
        ...columnsOf(context, 'Member'),
      }),
  }),
}))
