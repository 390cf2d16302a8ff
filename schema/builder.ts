import SchemaBuilder from '@pothos/core'
import ComplexityPlugin from '@pothos/plugin-complexity'
import DataloaderPlugin from '@pothos/plugin-dataloader'
import ErrorsPlugin from '@pothos/plugin-errors'
import RelayPlugin from '@pothos/plugin-relay'
import ScopeAuthPlugin from '@pothos/plugin-scope-auth'
import { GraphQLError } from 'graphql'
import { DateTimeResolver, JSONResolver } from 'graphql-scalars'
import { hasRole } from '../src/auth/viewer.ts'
import type { Role } from '../src/db/generated/enums.ts'
import { ValidationError } from '../src/domain/errors.ts'
import { MAX_PAGE } from '../src/domain/page.ts'
import type { Context } from './context.ts'
import { decodedId } from './global-id.ts'
import { queryLimits, tooComplex } from './query-limits.ts'

type Types = {
  Context: Context
  DefaultFieldNullability: false
  AuthScopes: { role: Role; visitor: boolean }
  Scalars: {
    DateTime: { Input: Date; Output: Date }
    JSON: { Input: unknown; Output: unknown }
    ID: { Input: string; Output: string }
  }
  Connection: { totalCount?: never }
}

function refusal({ viewer, visitor }: Context): GraphQLError {
  if (viewer === null && visitor === null) {
    return new GraphQLError('Sign in: send a token or an API key as `Authorization: Bearer …`.', {
      extensions: { code: 'UNAUTHENTICATED', http: { status: 401 } },
    })
  }
  const reason = viewer === null ? 'Visitors of a web chat see their own chat only.' : `Your role, ${viewer.role}, does not allow this.`
  return new GraphQLError(reason, { extensions: { code: 'FORBIDDEN' } })
}

const capitalized = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1)

export const builder = new SchemaBuilder<Types>({
  defaultFieldNullability: false,
  plugins: [ErrorsPlugin, ScopeAuthPlugin, RelayPlugin, DataloaderPlugin, ComplexityPlugin],
  errors: {
    directResult: true,
    defaultUnionOptions: { name: ({ fieldName }) => `${capitalized(fieldName)}Result` },
  },
  scopeAuth: {
    authorizeOnSubscribe: true,
    authScopes: ({ viewer, visitor }) => ({
      role: (role) => viewer !== null && hasRole(viewer, role),
      visitor: visitor !== null,
    }),
    unauthorizedError: (_parent, context) => refusal(context),
  },
  relay: {
    nodesOnConnection: true,
    clientMutationId: 'omit',
    cursorType: 'String',
    decodeGlobalID: decodedId,
    nodesQueryOptions: {
      description: 'In the order of the ids, null where there is no such thing; at most 100.',
      complexity: ({ ids }) => ({ field: 1, multiplier: Math.max(1, ids.length) }),
      resolve: (_root, { ids }, _context, _info, resolveNodes) => {
        if (ids.length > MAX_PAGE) throw new ValidationError(`At most ${MAX_PAGE} ids are allowed, not ${ids.length}.`, ['ids'])
        return resolveNodes(ids)
      },
    },
  },
  complexity: {
    limit: queryLimits,
    defaultListMultiplier: 5,
    complexityError: (kind, result) => tooComplex(kind, result),
  },
})

builder.addScalarType('DateTime', DateTimeResolver)
builder.addScalarType('JSON', JSONResolver)

builder.queryType({
  description:
    'Everything is seen as the organization of the token sees it: what belongs to another one does not exist. Any role may read.',
  authScopes: { role: 'VIEWER' },
})
builder.mutationType({
  description:
    'Each mutation gives a union: its success, or errors that the caller can act on (`... on UserError { code message path }`). AGENT may send, upload, note, log, mark, assign, change and merge customers, and enter consent; ADMIN may also manage accounts, templates and keys, and see and replay webhooks. VISITOR: the visitor of a web chat.',
})
builder.subscriptionType({
  description:
    'Over WebSocket (graphql-ws, token in `connectionParams.authorization`) or SSE (`Accept: text/event-stream`), both on the address of the graph. A WebSocket whose client does not read what it is given is closed with 4430: connect again, and go on from the last `cursor` (`inboxEvents`). It is closed with 4403 when the token expires, the API key is revoked, or another token gives the member a lesser role.',
  authScopes: { role: 'VIEWER' },
})
