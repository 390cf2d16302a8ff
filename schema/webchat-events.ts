import { GraphQLError } from 'graphql'
import { followWebchat, type WebchatEvent } from '../src/domain/webchat-events.ts'
import { openCursor, sealCursor } from '../src/domain/webchat-handles.ts'
import { builder } from './builder.ts'
import { visitorOf } from './context.ts'
import { checkLimits } from './query-limits.ts'
import { WebchatStatus } from './webchat.ts'
import { WebchatMessage } from './webchat-message.ts'

const graphTypes = {
  message: 'WebchatMessageEvent',
  changed: 'WebchatMessageChangedEvent',
  read: 'WebchatReadByStaffEvent',
  status: 'WebchatStatusEvent',
  resync: 'WebchatResyncEvent',
} as const satisfies Record<WebchatEvent['kind'], string>

const Event = builder.interfaceRef<WebchatEvent>('WebchatEvent').implement({
  description:
    'Something that happened in the conversation. Keep the `cursor` of the last one seen: `webchatEvents(after:)` goes on from there.',
  resolveType: (event) => graphTypes[event.kind],
  fields: (t) => ({
    cursor: t.string({
      description: 'Opaque, and this visitor’s own: to be given as `after`.',
      resolve: ({ seq }, _args, context) => sealCursor(context.deps, visitorOf(context), seq),
    }),
    occurredAt: t.field({ type: 'DateTime', resolve: (event) => event.occurredAt }),
  }),
})

type OfKind<Kind extends WebchatEvent['kind']> = Extract<WebchatEvent, { kind: Kind }>

const messageEvent = (kind: 'message' | 'changed' | 'read', description: string) =>
  builder.objectRef<OfKind<'message' | 'changed' | 'read'>>(graphTypes[kind]).implement({
    description,
    interfaces: [Event],
    fields: (t) => ({ message: t.field({ type: WebchatMessage, description: 'As it is now.', resolve: ({ message }) => message }) }),
  })

messageEvent('message', 'A new message: of the staff, or of the visitor, also from another window or device.')
messageEvent('changed', 'The status of a message, or what it says, has changed.')
messageEvent('read', "Staff has read the visitor's messages up to this one.")

builder.objectRef<OfKind<'status'>>(graphTypes.status).implement({
  description: 'The conversation was opened or closed.',
  interfaces: [Event],
  fields: (t) => ({ status: t.field({ type: WebchatStatus, resolve: ({ status }) => (status === 'CLOSED' ? 'CLOSED' : 'OPEN') }) }),
})

builder.objectRef<OfKind<'resync'>>(graphTypes.resync).implement({
  description: 'What came before may have changed: load `webchat` anew. The stream goes on from here.',
  interfaces: [Event],
  fields: (t) => ({ reason: t.exposeString('reason') }),
})

builder.subscriptionField('webchatEvents', (t) =>
  t.field({
    type: Event,
    description:
      "VISITOR. Everything that happens in the visitor's own conversation after the cursor, then live: in order, none missing, none twice. Without `after`: from now. A message of the staff that is given here becomes DELIVERED.",
    skipTypeScopes: true,
    authScopes: { visitor: true },
    args: { after: t.arg.string({ description: 'The `cursor` of the last event that was handled, or that of `webchat`.' }) },
    subscribe: (_root, { after }, context, info) => {
      const visitor = visitorOf(context)
      checkLimits(context, info)
      const seq = after === null || after === undefined ? null : openCursor(context.deps, visitor, after)
      if (seq === null && after !== null && after !== undefined)
        throw new GraphQLError("after is not a cursor of this visitor's chat.", { extensions: { code: 'INVALID_INPUT' } })
      return followWebchat(context.deps, context.events, visitor, seq)
    },
    resolve: (event) => event,
  }),
)
