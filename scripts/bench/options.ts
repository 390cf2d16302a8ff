import { parseArgs } from 'node:util'

const help = (scenarios: string[]) => `npm run bench -- [options]    measures this server beside hand-written floors, and prints one table

  --size <n>            1 = two organizations, each with 200,000 customers, 250,000 conversations, 2,000,000 communications
                        (default 1; 0.05 for a quick look)
  --only <list>         of ${scenarios.join(', ')} (default: all)
  --rounds <n>          each measures every contender once, in turn; medians count (default 3)
  --seconds <n>         for each measurement (default 5)
  --data <folder>       keeps the seeded databases there for the next run (default: a temporary folder, removed at the end)
  --peer                beside the reads, PostGraphile 5 and Mercurius with graphql-jit on the same tables
                        (npm installs them into scripts/bench/peer when first used)
  --profile <scenario>  no table: the server's CPU while only that scenario runs, as a flame graph (SVG) and as .cpuprofile,
                        in .data/profiles; and where the time goes
  --help

Everything runs on this machine: a PostgreSQL of its own, the server as \`npm start\` runs it (production, no worker), the floors and the
client, each in a process of its own. Ctrl+C ends all of them.`

export type Options = {
  size: number
  only: string[]
  rounds: number
  seconds: number
  data: string | null
  peer: boolean
  /** The one scenario to profile; `only` is then that one. */
  profile: string | null
}

/** null: help was asked for, and shown. Throws an Error that names the wrong option. */
export function readOptions(scenarios: string[]): Options | null {
  const { values } = parseArgs({
    options: {
      size: { type: 'string', default: '1' },
      only: { type: 'string' },
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '5' },
      data: { type: 'string' },
      peer: { type: 'boolean', default: false },
      profile: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    console.log(help(scenarios))
    return null
  }
  const number = (name: 'size' | 'rounds' | 'seconds', min: number, max: number): number => {
    const value = Number(values[name])
    if (!(value >= min && value <= max)) throw new Error(`--${name} must be a number from ${min} to ${max}`)
    return value
  }
  const scenario = (option: string, name: string): string => {
    if (!scenarios.includes(name)) throw new Error(`--${option}: there is no "${name}"; choose from ${scenarios.join(', ')}`)
    return name
  }
  const profile = values.profile === undefined ? null : scenario('profile', values.profile)
  if (profile !== null && values.only !== undefined) throw new Error('--profile is for one scenario, so --only cannot be given as well')
  const only = values.only?.split(',').map((name) => scenario('only', name.trim()))
  return {
    size: number('size', 0.01, 10),
    only: profile === null ? (only ?? scenarios) : [profile],
    rounds: Math.round(number('rounds', 1, 100)),
    seconds: number('seconds', 0.5, 600),
    data: values.data ?? null,
    peer: values.peer,
    profile,
  }
}
