import { parseArgs } from 'node:util'

const HELP = `npm run soak -- [options]    mixed load on several processes, with kills and restarts; says whether every promise was kept, with numbers

  --minutes <n>        of load (default 15); memory is judged from 10 on
  --sockets <n>        subscribed to InboxEvents over the two web processes (default 2000)
  --organizations <n>  that the load and the sockets are spread over (default 40)
  --webhooks <n>       incoming messages a second (default 20), some of them posted twice
  --reads <n>          queries of schema/operations a second (default 30)
  --sends <n>          messages sent a second (default 8), some of them asked for twice
  --changes <n>        a second: marked read, noted, assigned, closed (default 3)
  --seed <n>           of everything that is left to chance (default 1)
  --data <folder>      for the database, which has to be empty (default: a temporary folder, removed at the end)
  --report <file>      writes the report there too
  --help

It starts everything itself: PostgreSQL, Redis, two web processes, two workers, a provider, the clients. A promise that is broken: exit code 1.`

export type Options = {
  minutes: number
  sockets: number
  organizations: number
  webhooks: number
  reads: number
  sends: number
  changes: number
  seed: number
  data: string | null
  report: string | null
}

/** null: help was asked for, and shown. Throws an Error that names the wrong option. */
export function readOptions(): Options | null {
  const text = (value: string) => ({ type: 'string', default: value }) as const
  const { values } = parseArgs({
    options: {
      minutes: text('15'),
      sockets: text('2000'),
      organizations: text('40'),
      webhooks: text('20'),
      reads: text('30'),
      sends: text('8'),
      changes: text('3'),
      seed: text('1'),
      data: { type: 'string' },
      report: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    console.log(HELP)
    return null
  }
  type Numeric = Exclude<keyof Options, 'data' | 'report'>
  const number = (name: Numeric, min: number, max: number): number => {
    const value = Number(values[name])
    if (!(value >= min && value <= max)) throw new Error(`--${name} must be a number from ${min} to ${max}`)
    return value
  }
  const whole = (name: Numeric, min: number, max: number): number => {
    if (!/^\d+$/.test(values[name])) throw new Error(`--${name} must be a whole number from ${min} to ${max}`)
    return number(name, min, max)
  }
  return {
    minutes: number('minutes', 0.5, 24 * 60),
    sockets: whole('sockets', 1, 20_000),
    organizations: whole('organizations', 1, 1_000),
    webhooks: number('webhooks', 0.1, 5_000),
    reads: number('reads', 0, 5_000),
    sends: number('sends', 0, 1_000),
    changes: number('changes', 0, 1_000),
    seed: whole('seed', 0, 2 ** 32 - 1),
    data: values.data ?? null,
    report: values.report ?? null,
  }
}
