import { CHANGE_OPERATIONS, change, type Notes } from './changes.ts'
import { type Ask, createGraph } from './graph.ts'
import { type Inbound, receive } from './inbound.ts'
import type { Options } from './options.ts'
import type { Organization } from './organizations.ts'
import type { Outages } from './outages.ts'
import { pace } from './pace.ts'
import type { Accepted, Provider } from './provider.ts'
import type { Random } from './random.ts'
import { READ_OPERATIONS, read } from './reads.ts'
import { reportLater } from './receipts.ts'
import { type Sends, send } from './sends.ts'
import { createTally, type Tally } from './tally.ts'
import { createTargets } from './targets.ts'
import type { Post } from './webhooks.ts'

export type Load = {
  tallies: Record<'webhooks' | 'receipts' | 'reads' | 'sends' | 'changes', Tally>
  inbound: Inbound
  sends: Sends
  notes: Notes
  ask: Ask
  /** Receipts that the provider has still to post. */
  reporting: Set<Promise<void>>
  accepted(provider: Provider, message: Accepted): void
  /** Until `signal` is aborted and what was begun has ended. */
  run(signal: AbortSignal): Promise<void>
}

type Deps = { options: Options; random: Random; ports: readonly number[]; post: Post; outages: Outages; organizations: Organization[] }

/** What customers, staff and the provider do, and what each of them was told. */
export function createLoad({ options, random, ports, post, outages, organizations }: Deps): Load {
  const tally = () => createTally(outages)
  const tallies = { webhooks: tally(), receipts: tally(), reads: tally(), sends: tally(), changes: tally() }
  const ask = createGraph(ports, random, [...new Set([...READ_OPERATIONS, ...CHANGE_OPERATIONS, 'SendMessage'])])
  const targets = createTargets(random, organizations)
  const [inbound, sends, notes]: [Inbound, Sends, Notes] = [new Map(), new Map(), new Map()]
  const reporting = new Set<Promise<void>>()
  const common = { organizations, random, ask, targets }
  const members = new Map<Organization, string>()
  return {
    tallies,
    inbound,
    sends,
    notes,
    ask,
    reporting,
    accepted({ sent }, message) {
      const known = sent.get(message.communicationId)
      if (known === undefined) throw new Error(`${message.communicationId} was accepted before it was sent`)
      const reports = reportLater(random, post, tallies.receipts, message, known).finally(() => reporting.delete(reports))
      reporting.add(reports)
    },
    async run(signal) {
      await Promise.all([
        pace(options.webhooks, tallies.webhooks, random, signal, () =>
          receive({ organizations, random, post, tally: tallies.webhooks, inbound }),
        ),
        pace(options.reads, tallies.reads, random, signal, () => read({ ...common, tally: tallies.reads })),
        pace(options.sends, tallies.sends, random, signal, () => send({ ...common, tally: tallies.sends, sends })),
        pace(options.changes, tallies.changes, random, signal, () => change({ ...common, tally: tallies.changes, notes, members })),
      ])
    },
  }
}
