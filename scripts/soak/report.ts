import { loadavg } from 'node:os'
import { machine } from '../bench/table.ts'
import type { Load } from './load.ts'
import type { Options } from './options.ts'
import type { Outage } from './outages.ts'
import { count, told, type Verdict } from './verdict.ts'

type Told = { options: Options; seconds: number; load: Load; outages: Outage[]; start: number; verdicts: Verdict[] }

/** The whole report, as Markdown. */
export function report({ options, seconds, load, outages, start, verdicts }: Told): string {
  const broken = verdicts.filter((verdict) => verdict.broken.length > 0)
  const { minutes, organizations, sockets, seed } = options
  return [
    `# Soak of ${new Date(start).toISOString()}`,
    '',
    `${machine()}. ${minutes} minutes of load, ${organizations} organizations, ${sockets} sockets, seed ${seed}; two web processes, two workers, PostgreSQL, Redis,`,
    `the provider and all clients share this machine. Its load averages in the end: ${loadavg()
      .map((load) => load.toFixed(1))
      .join(', ')} (1, 5, 15 minutes); where others keep it busy, what is late says nothing of the product.`,
    '',
    ...loads(load, seconds),
    '',
    ...disturbances(outages, start),
    '',
    ...verdicts.flatMap(section),
    broken.length === 0
      ? `**Verdict: kept, all ${verdicts.length} promises.**`
      : `**Verdict: BROKEN, ${broken.length} of ${verdicts.length} promises: ${broken.map(({ promise }) => promise).join('; ')}.**`,
    '',
  ].join('\n')
}

function loads({ tallies }: Load, seconds: number): string[] {
  const rows = Object.entries(tallies).map(([name, tally]) => {
    const { p50, p99, max } = tally.latencies()
    const times = [p50, p99, max].map((value) => (Number.isNaN(value) ? '' : value.toFixed(value < 10 ? 1 : 0)))
    const failed = [tally.failed.expected, tally.failed.unexpected].map((reasons) =>
      count([...reasons.values()].reduce((a, b) => a + b, 0)),
    )
    return `| ${[name, count(tally.answered), (tally.answered / seconds).toFixed(1), ...times, ...failed].join(' | ')} |`
  })
  return [
    '| load | answered | a second | p50 ms | p99 ms | worst ms | failed while something was away | failed otherwise |',
    '|---|---:|---:|---:|---:|---:|---:|---:|',
    ...rows,
  ]
}

function disturbances(outages: Outage[], start: number): string[] {
  const seconds = (from: number, until: number | null) => (until === null ? 'never' : ((until - from) / 1000).toFixed(1))
  return [
    '| disturbance | after s | there again after s | all processes ready after s |',
    '|---|---:|---:|---:|',
    ...outages.map(({ what, from, back, ready }) => {
      const name = what === 'worker' ? 'a worker killed (SIGKILL)' : `${what} restarted`
      return `| ${[name, seconds(start, from), seconds(from, back), seconds(from, ready)].join(' | ')} |`
    }),
  ]
}

const section = (verdict: Verdict): string[] => [
  `**${verdict.promise}: ${verdict.broken.length === 0 ? 'kept' : 'BROKEN'}**`,
  '',
  ...verdict.numbers.map((line) => `- ${line}`),
  ...told(verdict).map((line) => `- BROKEN: ${line}`),
  '',
]
