import type { Ask } from './graph.ts'
import { anyOrganization, type Organization } from './organizations.ts'
import type { Random } from './random.ts'
import type { Tally } from './tally.ts'
import type { Target, Targets } from './targets.ts'

type Deps = { organizations: Organization[]; random: Random; ask: Ask; tally: Tally; targets: Targets }

/** Of a hundred reads. */
const OPERATIONS: [name: string, share: number, variables: (target: Target) => object][] = [
  ['ConversationThread', 30, ({ conversationId }) => ({ id: conversationId, last: 50 })],
  ['CustomerWorkspace', 10, ({ customerId }) => ({ id: customerId })],
  ['CustomerTimeline', 5, ({ customerId }) => ({ id: customerId })],
  ['CommunicationsQueue', 8, () => ({ first: 50 })],
  ['Customers', 4, () => ({ search: 'customer' })],
  ['ChannelStats', 8, () => ({})],
  ['Viewer', 5, () => ({})],
]

export const READ_OPERATIONS = ['Inbox', ...OPERATIONS.map(([name]) => name)]

/** One query of a member of the staff; what is left of the hundred is the inbox page. */
export async function read(deps: Deps): Promise<void> {
  const { random, ask, tally, targets } = deps
  const known = targets.any()
  const number = random.below(100)
  let end = 0
  for (const [name, share, variables] of OPERATIONS) {
    end += share
    if (number >= end) continue
    if (known === null) break
    await ask(tally, known.organization, name, variables(known.target))
    return
  }
  await readInbox(deps, anyOrganization(random, deps.organizations))
}

type Inbox = { conversations: { nodes: { id: string; customer: { id: string } }[] } }

async function readInbox({ ask, tally, targets }: Deps, organization: Organization): Promise<void> {
  const answer = await ask<Inbox>(tally, organization, 'Inbox', { first: 25 })
  if (!('data' in answer)) return
  const { nodes } = answer.data.conversations
  targets.learn(
    organization,
    nodes.map(({ id, customer }) => ({ conversationId: id, customerId: customer.id })),
  )
}
