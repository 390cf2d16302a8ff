import type { Viewer } from '../src/auth/viewer.ts'
import type { Deps } from '../src/deps.ts'
import type { Actor } from '../src/domain/actor.ts'
import type { EventLog } from '../src/events/event-log.ts'

/** What every resolver gets. One object an execution: the loaders cache by it. `viewer` is null without a token. */
export type Context = { deps: Deps; events: EventLog; viewer: Viewer | null }

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
