import { anyOrganization, type Organization } from './organizations.ts'
import type { Random } from './random.ts'

/** Who can be written to: ids as the graph gives them. */
export type Target = { conversationId: string; customerId: string }

export type Targets = {
  learn(organization: Organization, found: Target[]): void
  /** Any organization with one of its conversations; null where its inbox has not been read. */
  any(): { organization: Organization; target: Target } | null
}

const KEPT = 100

/** The conversations that inbox pages have shown lately, of each organization. */
export function createTargets(random: Random, organizations: readonly Organization[]): Targets {
  const known = new Map<Organization, Target[]>()
  return {
    learn(organization, found) {
      if (found.length === 0) return
      const ids = new Set(found.map(({ conversationId }) => conversationId))
      const others = (known.get(organization) ?? []).filter(({ conversationId }) => !ids.has(conversationId))
      known.set(organization, [...found, ...others].slice(0, KEPT))
    },
    any() {
      const organization = anyOrganization(random, organizations)
      const targets = known.get(organization)
      return targets === undefined ? null : { organization, target: random.pick(targets) }
    },
  }
}
