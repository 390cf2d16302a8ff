import { setTimeout as sleep } from 'node:timers/promises'
import type { Answer, Ask } from './graph.ts'
import type { Organization } from './organizations.ts'
import type { Random } from './random.ts'
import type { Tally } from './tally.ts'
import type { Target, Targets } from './targets.ts'

/** Notes by their text; a note has no key to ask with again, so that of an unanswered one nobody knows whether it was written. */
export type Notes = Map<string, { answered: boolean }>

type Deps = { random: Random; ask: Ask; tally: Tally; targets: Targets; notes: Notes; members: Map<Organization, string> }

type Result = Record<string, { __typename: string; message?: string }>

export const CHANGE_OPERATIONS = ['Viewer', 'MarkRead', 'AddNote', 'AssignConversation', 'SetConversationStatus']

/** Marks read, notes, assigns, closes. */
export async function change(deps: Deps): Promise<void> {
  const { random } = deps
  const known = deps.targets.any()
  if (known === null) return
  const { organization, target } = known
  const { conversationId, customerId } = target
  const number = random.below(10)
  if (number < 3) return untilDone(deps, organization, 'MarkRead', { target: { conversationId } })
  if (number < 5) return untilDone(deps, organization, 'MarkRead', { target: { customerId } })
  if (number < 7) return note(deps, organization, target)
  if (number < 9) {
    const assigneeId = random.chance(0.7) ? await memberOf(deps, organization) : null
    return untilDone(deps, organization, 'AssignConversation', { conversationId, assigneeId })
  }
  return untilDone(deps, organization, 'SetConversationStatus', { conversationId, status: random.pick(['CLOSED', 'OPEN']) })
}

/** Doing it twice is the same as doing it once. */
async function untilDone({ random, ask, tally }: Deps, organization: Organization, name: string, input: object): Promise<void> {
  for (;;) {
    const answer = await ask<Result>(tally, organization, name, { input })
    if (!('again' in answer)) return complain(tally, name, answer)
    await sleep(random.between(500, 2_000))
  }
}

async function note({ ask, tally, notes }: Deps, organization: Organization, { conversationId, customerId }: Target): Promise<void> {
  const body = `Note ${notes.size + 1} of the soak`
  const written = { answered: false }
  notes.set(body, written)
  const answer = await ask<Result>(tally, organization, 'AddNote', { input: { customerId, conversationId, body } })
  written.answered = 'data' in answer && answer.data.addNote?.__typename === 'AddNoteSuccess'
  if (!('again' in answer)) complain(tally, 'AddNote', answer)
}

/** What staff is refused here is a mistake: nothing that was asked is against a rule. */
function complain(tally: Tally, name: string, answer: Answer<Result>): void {
  if (!('data' in answer)) return
  for (const { __typename, message } of Object.values(answer.data))
    if (!__typename.endsWith('Success')) tally.fail(`${name}: ${message}`, 0)
}

type Viewer = { viewer: { member: { id: string } | null } }

async function memberOf({ ask, tally, members }: Deps, organization: Organization): Promise<string | null> {
  const known = members.get(organization)
  if (known !== undefined) return known
  const answer = await ask<Viewer>(tally, organization, 'Viewer', {})
  const id = 'data' in answer ? (answer.data.viewer.member?.id ?? null) : null
  if (id !== null) members.set(organization, id)
  return id
}
