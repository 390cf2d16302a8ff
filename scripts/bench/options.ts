import { parseArgs } from 'node:util'

const HELP = `npm run bench -- [options]    measures this server beside hand-written floors, and prints one table

  --size <n>       1 = 200,000 customers, 250,000 conversations, 2,000,000 communications (default 1; 0.05 for a quick look)
  --only <list>    of inbox, thread, webhook, live (default: all)
  --rounds <n>     each measures every contender once, in turn; medians count (default 3)
  --seconds <n>    for each measurement (default 5)
  --data <folder>  keeps the seeded database there for the next run (default: a temporary folder, removed at the end)
  --profile <dir>  writes a CPU profile of the server there (slows it down)
  --help`

const SCENARIOS = ['inbox', 'thread', 'webhook', 'live'] as const

export type ScenarioName = (typeof SCENARIOS)[number]

export type Options = { size: number; only: ScenarioName[]; rounds: number; seconds: number; data: string | null; profile: string | null }

/** null: help was asked for, and shown. Throws an Error that names the wrong option. */
export function readOptions(): Options | null {
  const { values } = parseArgs({
    options: {
      size: { type: 'string', default: '1' },
      only: { type: 'string', default: SCENARIOS.join(',') },
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '5' },
      data: { type: 'string' },
      profile: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    console.log(HELP)
    return null
  }
  const number = (name: 'size' | 'rounds' | 'seconds', min: number, max: number): number => {
    const value = Number(values[name])
    if (!(value >= min && value <= max)) throw new Error(`--${name} must be a number from ${min} to ${max}`)
    return value
  }
  const only = values.only.split(',').map((name) => {
    const known = SCENARIOS.find((scenario) => scenario === name.trim())
    if (known === undefined) throw new Error(`--only: there is no "${name}"; choose from ${SCENARIOS.join(', ')}`)
    return known
  })
  return {
    size: number('size', 0.001, 10),
    only,
    rounds: Math.round(number('rounds', 1, 100)),
    seconds: number('seconds', 0.5, 600),
    data: values.data ?? null,
    profile: values.profile ?? null,
  }
}
