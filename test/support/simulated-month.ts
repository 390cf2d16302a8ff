import { setTimeout as delay } from 'node:timers/promises'
import type { Appointment, AutomationRun, Communication } from '../../src/db/generated/client.ts'
import { cancelAppointment, completeAppointment, createAppointment, rescheduleAppointment } from '../../src/domain/appointments.ts'
import { createOrganization } from '../../src/domain/create-organization.ts'
import { updateNotificationSettings } from '../../src/domain/update-notification-settings.ts'
import { recoverStale } from '../../src/jobs/recover-stale.ts'
import { startTestApp } from './app.ts'
import { startFakeTwilio } from './fake-twilio.ts'
import { startTime } from './simulated-pace.ts'
import { connect } from './twilio-inbox.ts'
import { settingsBeside, startWorkerProcess, type WorkerProcess } from './worker-process.ts'

export type MonthOptions = {
  appointments: number
  /** How many times as fast as the real clock the simulated one is. */
  speed: number
  /** Real milliseconds after which the clock waits for jobs that are due; null: it never does. */
  patient: number | null
  /** In which the appointments are made. */
  days: number
  /** How long before they begin they are made, in days, but for a tenth of them: within a day. */
  ahead: [min: number, max: number]
  killEverySeconds: number
  seed: number
}

/** One appointment as it was lived: each of its times, and from when to when it was to take place then. Simulated times. */
export type Life = { id: string; times: { startsAt: Date; from: Date; until: Date | null }[] }

export type Month = {
  lives: Life[]
  appointments: Appointment[]
  runs: AutomationRun[]
  communications: Communication[]
  /** What the provider accepted: the communication's id and the text. */
  accepted: { communicationId: string; body: string }[]
  killed: number
  counts: { rescheduled: number; canceled: number; completed: number }
}

const DAY = 86_400_000
const MINUTE = 60_000

type Step = { at: Date; what: 'reschedule' | 'cancel' | 'complete' }
type Plan = { index: number; createAt: Date; startsAt: Date; steps: Step[] }

/** The same numbers for the same seed (mulberry32). */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Runs at most so many at a time, in their order. */
function limited(most: number): <Result>(work: () => Promise<Result>) => Promise<Result> {
  const waiting: (() => void)[] = []
  let free = most
  return async (work) => {
    if (free > 0) free -= 1
    else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next === undefined) free += 1
      else next()
    }
  }
}

function planned({ appointments, days, ahead: [soonest, latest], seed }: MonthOptions, start: number): Plan[] {
  const next = random(seed)
  return Array.from({ length: appointments }, (_, index): Plan => {
    const createAt = start + next() * days * DAY
    const ahead = next() < 0.1 ? 10 * MINUTE + next() * DAY : (soonest + next() * (latest - soonest)) * DAY
    const startsAt = Math.floor((createAt + ahead) / MINUTE) * MINUTE
    const within = () => new Date(createAt + next() * (startsAt - createAt))
    const kind = next()
    const steps: Step[] =
      kind < 0.2
        ? [{ at: within(), what: 'reschedule' }]
        : kind < 0.25
          ? [within(), within()].sort((a, b) => a.getTime() - b.getTime()).map((at) => ({ at, what: 'reschedule' }))
          : kind < 0.4
            ? [{ at: within(), what: 'cancel' }]
            : kind < 0.5
              ? [{ at: new Date(startsAt + 30 * MINUTE), what: 'complete' }]
              : []
    return { index, createAt: new Date(createAt), startsAt: new Date(startsAt), steps }
  })
}

/**
 * Appointments that are made, moved, canceled and completed while two workers of their own processes, with a clock many times as fast as the
 * real one, send what is due through a provider; every now and then one of the workers is killed, and another started. `signal` ends it early.
 */
export async function liveMonth(options: MonthOptions, signal: AbortSignal): Promise<Month> {
  const fake = await startFakeTwilio()
  const app = await startTestApp({ WORKER: 'off', TWILIO_API_URL: fake.url, DATABASE_POOL: '10' })
  const start = new Date('2027-03-01T06:00:00Z')
  const { id: organizationId } = await createOrganization(app.deps, { slug: 'month', name: 'Month', timezone: 'Europe/Berlin' })
  const token = await app.token({ organization: 'month' })
  await connect(app, { channel: 'SMS', name: 'SMS', address: '+15017122661', credentials: { twilio: fake.credentials } }, token)
  const actor = { organizationId, memberId: null }
  const kinds = ['BOOKING_CONFIRMATION', 'RESCHEDULE_NOTICE', 'CANCELLATION_NOTICE', 'APPOINTMENT_REMINDER'] as const
  await updateNotificationSettings(app.deps, actor, { automations: kinds.map((kind) => ({ kind, channels: ['SMS'] })) })

  const workers: WorkerProcess[] = []
  const time = startTime({ pool: app.deps.pool, signal }, start, options.speed, options.patient, (pace) => {
    for (const worker of workers) worker.tell(pace)
  })
  app.deps.clock = time.now
  const startWorker = async () => {
    const script = { script: 'test/support/simulated-worker-process.ts', ready: 'works' }
    const worker = await startWorkerProcess({ ...settingsBeside({ app, fake }), SIMULATED_PACE: JSON.stringify(time.pace()) }, script)
    // It may have missed what was told while it started.
    worker.tell(time.pace())
    return worker
  }
  workers.push(...(await Promise.all([startWorker(), startWorker()])))
  const begin = time.now()

  const lives: Life[] = []
  const counts = { rescheduled: 0, canceled: 0, completed: 0 }
  let killed = 0
  let living = true
  const killer = (async () => {
    const next = random(options.seed + 1)
    while (living) {
      await delay(options.killEverySeconds * 1000 * (0.5 + next()))
      if (!living) return
      const index = next() < 0.5 ? 0 : 1
      await workers[index]?.end('SIGKILL')
      killed += 1
      workers[index] = await startWorker()
    }
  })()
  // What every worker does each minute, which is soon over here.
  const giver = setInterval(() => void recoverStale(app.deps, 1), 300)

  const oneOfFew = limited(6)
  const live = async ({ index, createAt, startsAt, steps }: Plan) => {
    await time.until(createAt)
    // Booked when a backlog lets it: never for a time that has passed, which is another test's.
    const first = new Date(Math.max(startsAt.getTime(), Math.ceil((app.deps.clock().getTime() + 10 * MINUTE) / MINUTE) * MINUTE))
    const phone = `+1415${String(5_000_000 + (index % (options.appointments / 2))).padStart(7, '0')}`
    const made = await oneOfFew(() =>
      createAppointment(app.deps, actor, {
        customer: { contact: { identities: [{ kind: 'PHONE', value: phone }] } },
        externalId: `booking ${index}`,
        service: `Visit ${index}`,
        startsAt: first,
        endsAt: new Date(first.getTime() + 30 * MINUTE),
      }),
    )
    const life: Life = { id: made.id, times: [{ startsAt: first, from: made.createdAt, until: null }] }
    lives.push(life)
    const appointment = { externalId: `booking ${index}` }
    for (const { at, what } of steps) {
      await time.until(at)
      const now = life.times.at(-1)
      if (now === undefined) throw new Error('an appointment without a time')
      if (what === 'reschedule') {
        const later = new Date(now.startsAt.getTime() + (1 + (index % 6)) * 60 * MINUTE)
        await oneOfFew(() => rescheduleAppointment(app.deps, actor, { appointment, startsAt: later }))
        counts.rescheduled += 1
        now.until = app.deps.clock()
        life.times.push({ startsAt: later, from: now.until, until: null })
      } else {
        const change = what === 'cancel' ? cancelAppointment : completeAppointment
        now.until = (await oneOfFew(() => change(app.deps, actor, appointment))).statusChangedAt
        counts[what === 'cancel' ? 'canceled' : 'completed'] += 1
      }
    }
  }

  try {
    await Promise.all(planned(options, begin.getTime()).map(live))
    const last = Math.max(...lives.flatMap(({ times }) => times.map(({ startsAt }) => startsAt.getTime())))
    await time.until(new Date(last + DAY / 12))
    living = false
    await killer
    await time.drained()
    return {
      lives,
      killed,
      counts,
      appointments: await app.deps.db.appointment.findMany({ where: { organizationId } }),
      runs: await app.deps.db.automationRun.findMany({ where: { organizationId } }),
      communications: await app.deps.db.communication.findMany({ where: { organizationId } }),
      accepted: fake.messages.map(({ params }) => ({
        communicationId: String(params.StatusCallback).replace(/^.*communicationId=/, ''),
        body: String(params.Body),
      })),
    }
  } finally {
    living = false
    await killer.catch(() => undefined)
    clearInterval(giver)
    time.stop()
    for (const worker of workers) await worker.end('SIGKILL')
    await app.close()
    await fake.close()
  }
}
