import type { Load } from './load.ts'
import type { Parley } from './parley.ts'
import { count, type Verdict } from './verdict.ts'
import type { World } from './world.ts'

/** What fails, fails while something is away. */
export function judgeAnswers({ tallies }: Load): Verdict {
  const all = Object.entries(tallies)
  const failures = all.flatMap(([name, { failed }]) => [...failed.unexpected].map(([reason, n]) => `${name}: ${n} times ${reason}`))
  const shed = all.flatMap(([name, tally]) =>
    tally.shed === 0 ? [] : [`${name}: ${tally.shed} not begun, because too many were under way`],
  )
  const expected = all.reduce((sum, [, { failed }]) => sum + [...failed.expected.values()].reduce((a, b) => a + b, 0), 0)
  const answered = all.reduce((sum, [, tally]) => sum + tally.answered, 0)
  return {
    promise: 'Requests fail only while PostgreSQL or Redis is away',
    numbers: [`answered ${count(answered)}, failed while something was away ${count(expected)}`],
    broken: [...failures, ...shed],
  }
}

const SHOWN_KINDS = 5
const SHOWN_CHARACTERS = 600

/** The log has no errors but those about what was taken away. */
export function judgeLogs({ logs }: World): Verdict {
  const errors = [...logs.errors.values()].sort((a, b) => b.count - a.count)
  const expected = errors.filter((error) => error.expected > 0)
  const lines = expected.reduce((sum, error) => sum + error.expected, 0)
  return {
    promise: 'No process logs an error, but about what was taken away',
    numbers: [
      `while something was away: ${count(lines)} lines of ${expected.length} kinds`,
      ...expected.slice(0, SHOWN_KINDS).map((error) => `${count(error.expected)} × ${error.kind}`),
    ],
    broken: errors.flatMap((error) => {
      const unexpected = error.count - error.expected
      return unexpected === 0
        ? []
        : [`${unexpected} × ${error.kind} (${[...error.processes].join(', ')}): ${error.example.slice(0, SHOWN_CHARACTERS)}`]
    }),
  }
}

/** Redis and PostgreSQL were restarted once each, and all processes were ready again each time. */
export function judgeOutages({ outages }: World): Verdict {
  const times = (wanted: string) => outages.list.filter(({ what, ready }) => what === wanted && ready !== null).length
  return {
    promise: 'What was taken away comes back, and everything with it',
    numbers: [`workers killed ${times('worker')}, restarts of Redis ${times('Redis')}, of PostgreSQL ${times('PostgreSQL')}`],
    broken: [
      ...outages.list.flatMap(({ what, unready }) => unready.map((parley) => `a minute after the ${what} not ready: ${parley}`)),
      ...['Redis', 'PostgreSQL']
        .filter((what) => times(what) !== 1)
        .map((what) => `${what} was restarted ${times(what)} times: the run says nothing of it`),
    ],
  }
}

/** Notes how processes end that nobody has ended; call the result when they are about to be. */
export function watchEnds(parleys: readonly Parley[]): () => Verdict {
  const broken: string[] = []
  let over = false
  for (const { name, ended } of parleys)
    void ended.then((how) => {
      if (!over) broken.push(`${name} ended: ${how}`)
    })
  return () => {
    over = true
    return { promise: 'No process ends by itself', numbers: [`watched: ${parleys.map(({ name }) => name).join(', ')}`], broken }
  }
}
