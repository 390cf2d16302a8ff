import type { Memory, Sample } from './memory.ts'
import { count, type Verdict } from './verdict.ts'

/** What is kept on purpose takes minutes to fill up: the first quarter does not count, and shorter runs are not judged. */
const LONG_ENOUGH_MINUTES = 10
const GROWTH = 0.15
const GROWTH_MB = 20
/** Two web processes with 8 connections, two workers with 8 and 4, and for a moment those of a killed worker. */
const MOST_CONNECTIONS = 2 * 8 + 3 * (8 + 4)

/** Medians of the second and of the last quarter of the load. */
export function judgeMemory({ megabytes, peaks, connections }: Memory, minutes: number): Verdict {
  const judged = minutes >= LONG_ENOUGH_MINUTES
  const broken: string[] = []
  const numbers = [...megabytes].map(([name, samples]) => {
    const [second, last] = [medianOf(quarter(samples, 1)), medianOf(quarter(samples, 3))]
    const text = `${name} ${second.toFixed(0)} → ${last.toFixed(0)} MB`
    if (judged && last - second > Math.max(GROWTH * second, GROWTH_MB)) broken.push(text)
    return text
  })
  const most = Math.max(0, ...connections.map(({ value }) => value))
  if (most > MOST_CONNECTIONS) broken.push(`${most} connections to PostgreSQL, ${MOST_CONNECTIONS} at most are expected`)
  return {
    promise: `Memory is flat: from the second to the last quarter at most ${100 * GROWTH} % or ${GROWTH_MB} MB more`,
    numbers: [
      megabytes.size === 0
        ? 'not measured: there is no /proc here'
        : `resident after garbage is collected, medians of the second → the last quarter: ${numbers.join(', ')}`,
      ...(judged ? [] : [`not judged: less than ${LONG_ENOUGH_MINUTES} minutes`]),
      `resident at most: ${[...peaks].map(([name, peak]) => `${name} ${peak.toFixed(0)} MB`).join(', ')}`,
      `connections to PostgreSQL: ${count(most)} at most`,
    ],
    broken,
  }
}

function quarter(samples: Sample[], index: number): Sample[] {
  const [from = 0, until = 0] = [samples[0]?.at, samples.at(-1)?.at]
  const length = (until - from) / 4
  return samples.filter(({ at }) => at >= from + index * length && at <= from + (index + 1) * length)
}

function medianOf(samples: Sample[]): number {
  const values = samples.map(({ value }) => value).sort((a, b) => a - b)
  return values[Math.floor(values.length / 2)] ?? 0
}
