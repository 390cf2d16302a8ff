import type { Viewer } from '../src/auth/viewer.ts'
import type { Deps } from '../src/deps.ts'
import type { Actor } from '../src/domain/actor.ts'
import type { EventLog } from '../src/events/event-log.ts'
import type { Visitor } from '../src/visitor-tokens.ts'
import type { Asked } from './columns.ts'

/**
 * What every resolver gets. One object an execution: the loaders cache by it. `viewer` is staff, `visitor` someone in a web chat: never both,
 * and both null without a token. `client`: where the request came from; `origin` null where no browser says it.
 */
export type Context = {
  deps: Deps
  events: EventLog
  viewer: Viewer | null
  visitor: Visitor | null
  client: { address: string; origin: string | null }
  /** Not set where nothing is executed. */
  asked?: Asked
}

export type SignedIn = Context & { viewer: Viewer }

/** For resolvers behind an auth scope, which has made sure of it. */
export function signedIn(context: Context): SignedIn {
  if (context.viewer === null) throw new Error('resolver without an auth scope')
  return context as SignedIn
}

export const organizationOf = (context: Context): string => signedIn(context).viewer.organization.id

export const actorOf = (context: Context): Actor => {
  const { viewer } = signedIn(context)
  return { organizationId: viewer.organization.id, memberId: viewer.member?.id ?? null }
}

/** For resolvers behind the scope `visitor`. */
export function visitorOf(context: Context): Visitor {
  if (context.visitor === null) throw new Error('resolver without the auth scope of visitors')
  return context.visitor
}
