/** One promise: what was counted, and what breaks it. Kept where `broken` is empty. */
export type Verdict = { promise: string; numbers: string[]; broken: string[] }

const SHOWN = 10

/** The broken ones as they are told: not thousands of them. */
export const told = ({ broken }: Verdict): string[] =>
  broken.length <= SHOWN ? broken : [...broken.slice(0, SHOWN), `and ${count(broken.length - SHOWN)} more`]

export const count = (number: number): string => number.toLocaleString('en')

/** "SENT 12, READ 3". */
export const counts = (of: Iterable<[string, number]>): string => {
  const parts = [...of].map(([name, number]) => `${name} ${count(number)}`)
  return parts.length === 0 ? 'none' : parts.join(', ')
}

/** How often each occurs. */
export function tallied(names: Iterable<string>): Map<string, number> {
  const found = new Map<string, number>()
  for (const name of names) found.set(name, (found.get(name) ?? 0) + 1)
  return found
}
