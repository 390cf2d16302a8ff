import type { ApiKey as Row } from '../src/db/generated/client.ts'
import { createApiKey, revokeApiKey } from '../src/domain/api-keys.ts'
import { NotFoundError, ValidationError } from '../src/domain/errors.ts'
import { builder } from './builder.ts'
import { columnsOf } from './columns.ts'
import { column, reference, timeColumn } from './compiled/field.ts'
import { actorOf, type Context, organizationOf, signedIn } from './context.ts'
import { Role } from './enums.ts'
import { requiredId } from './global-id.ts'
import { inOrder } from './loaders.ts'
import { Member } from './organization.ts'

const ApiKey = builder.loadableNodeRef('ApiKey', {
  id: { resolve: (apiKey) => apiKey.id },
  load: async (ids: string[], context: Context) => {
    const { viewer } = signedIn(context)
    const rows = await context.deps.db.apiKey.findMany({
      where: { id: { in: ids }, organizationId: organizationOf(context) },
      ...columnsOf(context, 'ApiKey'),
    })
    return inOrder(
      ids,
      rows.filter((row) => viewer.role === 'ADMIN' || row.id === viewer.apiKeyId),
    )
  },
})
ApiKey.implement({
  description: 'A secret for programs, sent like a token: `Authorization: Bearer parley_…`.',
  fields: (t) => ({
    name: t.exposeString('name', column('name')),
    role: t.field({ type: Role, ...column('role'), resolve: (apiKey) => apiKey.role }),
    hint: t.exposeString('hint', { ...column('hint'), description: 'The last characters of the key.' }),
    createdBy: t.field({ type: Member, nullable: true, ...reference('member', 'created_by_id'), resolve: (apiKey) => apiKey.createdById }),
    createdAt: t.field({ type: 'DateTime', ...timeColumn('created_at'), resolve: (apiKey) => apiKey.createdAt }),
    revokedAt: t.field({ type: 'DateTime', nullable: true, ...timeColumn('revoked_at'), resolve: (apiKey) => apiKey.revokedAt }),
  }),
})

const authScopes = { role: 'ADMIN' } as const

builder.queryField('apiKeys', (t) =>
  t.field({
    type: [ApiKey],
    description: 'ADMIN. Newest first, revoked ones included; at most 1,000.',
    complexity: { field: 1, multiplier: 20 },
    authScopes,
    resolve: (_root, _args, context) =>
      context.deps.db.apiKey.findMany({
        where: { organizationId: organizationOf(context) },
        orderBy: { id: 'desc' },
        take: 1000,
        ...columnsOf(context, 'ApiKey'),
      }),
  }),
)

const Create = builder.inputType('CreateApiKeyInput', {
  fields: (t) => ({
    name: t.string({ required: true, description: 'What it is for: 1 to 200 characters.' }),
    role: t.field({ type: Role, required: true }),
  }),
})

const Revoke = builder.inputType('RevokeApiKeyInput', { fields: (t) => ({ apiKeyId: t.id({ required: true }) }) })

const CreateSuccess = builder.objectRef<{ apiKey: Row; key: string }>('CreateApiKeySuccess').implement({
  fields: (t) => ({
    apiKey: t.field({ type: ApiKey, resolve: ({ apiKey }) => apiKey }),
    key: t.exposeString('key', { description: 'The key itself. It is shown this once: only a hash is stored.' }),
  }),
})

const RevokeSuccess = builder.objectRef<{ apiKey: Row }>('RevokeApiKeySuccess').implement({
  fields: (t) => ({ apiKey: t.field({ type: ApiKey, resolve: ({ apiKey }) => apiKey }) }),
})

builder.mutationFields((t) => ({
  createApiKey: t.field({
    type: CreateSuccess,
    description: 'ADMIN.',
    authScopes,
    errors: { types: [ValidationError] },
    args: { input: t.arg({ type: Create, required: true }) },
    resolve: (_root, { input }, context) => createApiKey(context.deps, actorOf(context), input),
  }),
  revokeApiKey: t.field({
    type: RevokeSuccess,
    description: 'ADMIN. The key stops working at once, also on open sockets.',
    authScopes,
    errors: { types: [NotFoundError] },
    args: { input: t.arg({ type: Revoke, required: true }) },
    resolve: async (_root, { input }, context) => {
      const id = requiredId('ApiKey', input.apiKeyId, ['input', 'apiKeyId'])
      return { apiKey: await revokeApiKey(context.deps, actorOf(context), id) }
    },
  }),
}))
