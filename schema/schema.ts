import { builder } from './builder.ts'
import { forgetBetweenMutations } from './loaders.ts'
import './errors.ts'
import './organization.ts'
import './api-key.ts'
import './channel-account.ts'
import './channel-stats.ts'
import './communication.ts'
import './conversation.ts'
import './conversation-mutations.ts'
import './customer.ts'
import './customer-mutations.ts'
import './inbox-events.ts'
import './messaging.ts'
import './template.ts'
import './timeline.ts'

/** The whole graph, executable. */
export const schema = forgetBetweenMutations(builder.toSchema())
