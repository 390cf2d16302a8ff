import { setTimeout as sleep } from 'node:timers/promises'
import type { Ask } from './graph.ts'
import type { Organization } from './organizations.ts'
import type { Random } from './random.ts'
import type { Tally } from './tally.ts'
import type { Targets } from './targets.ts'

/** What `sendMessage` has answered to one idempotency key. More than one id is a message that was made twice. */
export type Asked = { organization: Organization; answers: number; ids: Set<string>; refusals: Set<string> }

/** By idempotency key. */
export type Sends = Map<string, Asked>

type Deps = { random: Random; ask: Ask; tally: Tally; targets: Targets; sends: Sends }

/** Asked for twice at the same time; once more after the answer, which the client has lost; to be sent a minute or more later. */
const AT_ONCE = 0.05
const AFTERWARDS = 0.05
const SCHEDULED = 0.1

const MAX_PAUSE_MS = 4_000
/** For one answer, and some more. */
const PATIENCE_MS = 25_000

/** One message of a member of the staff, with the same key until there is an answer. */
export async function send(deps: Deps): Promise<void> {
  const { random, targets, sends } = deps
  const known = targets.any()
  if (known === null) return
  const { organization, target } = known
  const idempotencyKey = `soak-${sends.size + 1}`
  sends.set(idempotencyKey, { organization, answers: 0, ids: new Set(), refusals: new Set() })
  const input = {
    to: { conversationId: target.conversationId },
    content: { text: `Yes, you can collect it today. (${idempotencyKey})` },
    idempotencyKey,
    ...(random.chance(SCHEDULED) ? { sendAt: new Date(Date.now() + random.between(60_000, 90_000)).toISOString() } : {}),
  }
  if (random.chance(AT_ONCE)) await Promise.all([untilAnswered(deps, idempotencyKey, input), untilAnswered(deps, idempotencyKey, input)])
  else await untilAnswered(deps, idempotencyKey, input)
  if (random.chance(AFTERWARDS)) await untilAnswered(deps, idempotencyKey, input)
}

type Result = { sendMessage: { __typename: string; message?: string; communication?: { id: string } } }

/** A time that has nearly come is not asked for any more: the answer would be that it is past. */
async function untilAnswered({ random, ask, tally, sends }: Deps, key: string, input: { sendAt?: string }): Promise<void> {
  const asked = sends.get(key)
  if (asked === undefined) throw new Error(`nothing was asked with ${key}`)
  const lastTime = input.sendAt === undefined ? Number.POSITIVE_INFINITY : Date.parse(input.sendAt) - PATIENCE_MS
  for (let pause = 250; Date.now() < lastTime; pause = Math.min(pause * 2, MAX_PAUSE_MS)) {
    const answer = await ask<Result>(tally, asked.organization, 'SendMessage', { input })
    if ('again' in answer) {
      await sleep(pause * random.between(0.5, 1))
      continue
    }
    asked.answers += 1
    if ('refused' in answer) asked.refusals.add(answer.refused)
    else {
      const { __typename, message, communication } = answer.data.sendMessage
      if (communication === undefined) asked.refusals.add(`${__typename}: ${message}`)
      else asked.ids.add(communication.id)
    }
    return
  }
}
