import type { HealthCheck } from '../channel.ts'
import { Rejected } from '../failures.ts'

type Named = Pick<HealthCheck, 'name' | 'required'>

/** `fault` null: all is well. */
export const outcome = (check: Named, fault: string | null): HealthCheck => ({ ...check, ok: fault === null, message: fault })

/** What `ask` finds, or what its failure means: a refusal in the provider's sentence, or that Meta could not be asked about `what`. */
export async function asked(check: Named, what: string, ask: () => Promise<string | null>): Promise<HealthCheck> {
  try {
    return outcome(check, await ask())
  } catch (error) {
    if (error instanceof Rejected) return outcome(check, error.explanation)
    return { ...outcome(check, `Meta could not be asked ${what}. Try again later.`), unanswered: true }
  }
}
