import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { pino } from 'pino'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Bus } from '../../src/events/bus.ts'
import { createMemoryBus } from '../../src/events/memory-bus.ts'
import { createRedisBus } from '../../src/events/redis-bus.ts'

const WAIT = { timeout: 15_000, interval: 10 }
const silent = pino({ level: 'silent' })
const folder = mkdtempSync(join(tmpdir(), 'parley-redis-'))
let port = 0
let server: ChildProcess | undefined

async function startRedis(): Promise<void> {
  server = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder, '--loglevel', 'warning'])
  await once(server, 'spawn')
}

async function killRedis(): Promise<void> {
  if (server === undefined) return
  const ended = once(server, 'exit')
  server.kill('SIGKILL')
  await ended
  server = undefined
}

async function freePort(): Promise<number> {
  const socket = createServer().listen(0, '127.0.0.1')
  await once(socket, 'listening')
  const address = socket.address()
  socket.close()
  await once(socket, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}

beforeAll(async () => {
  port = await freePort()
  await startRedis()
})

afterAll(async () => {
  await killRedis()
  rmSync(folder, { recursive: true, force: true })
})

const opened: Bus[] = []
afterEach(async () => {
  await Promise.all(opened.splice(0).map((bus) => bus.close()))
})

const kinds = {
  memory: () => createMemoryBus(),
  redis: () => createRedisBus(`redis://127.0.0.1:${port}`, silent),
}

function open(kind: keyof typeof kinds): Bus {
  const bus = kinds[kind]()
  opened.push(bus)
  return bus
}

/** Rings until it is heard: shows that the way from `from` to `heard` is open. */
async function ringUntil(from: Bus, topic: string, heard: { mock: { calls: unknown[] } }): Promise<void> {
  await vi.waitFor(() => {
    from.ring(topic)
    expect(heard.mock.calls.length).toBeGreaterThan(0)
  }, WAIT)
}

async function ready(bus: Bus): Promise<void> {
  await vi.waitFor(() => expect(bus.healthy()).toBe(true), WAIT)
}

/** A ring that was made before has been heard by now, if anybody hears it. */
async function settled(bus: Bus): Promise<void> {
  const last = vi.fn()
  bus.subscribe('settled', last)
  await ringUntil(bus, 'settled', last)
}

describe.each(Object.keys(kinds) as (keyof typeof kinds)[])('the %s bus', (kind) => {
  it('rings every listener of a topic, and no other topic', async () => {
    const bus = open(kind)
    const [first, second, other] = [vi.fn(), vi.fn(), vi.fn()]
    bus.subscribe('a', first)
    bus.subscribe('a', second)
    bus.subscribe('b', other)
    await ready(bus)
    await settled(bus)
    for (const heard of [first, second, other]) heard.mockClear()
    bus.ring('a')
    await vi.waitFor(() => expect([first.mock.calls.length, second.mock.calls.length]).toEqual([1, 1]), WAIT)
    await settled(bus)
    expect(other).not.toHaveBeenCalled()
  })

  it('never calls a listener from within ring', async () => {
    const bus = open(kind)
    let inside = false
    const heard = vi.fn(() => expect(inside).toBe(false))
    bus.subscribe('a', heard)
    await ready(bus)
    inside = true
    for (let i = 0; i < 100; i += 1) bus.ring('a')
    inside = false
    await ringUntil(bus, 'a', heard)
    expect(heard.mock.results.every((result) => result.type === 'return')).toBe(true)
  })

  it('hears the last of many rings', async () => {
    const bus = open(kind)
    let rung = 0
    let seen = 0
    bus.subscribe('a', () => {
      seen = rung
    })
    await ready(bus)
    for (let i = 0; i < 500; i += 1) {
      rung += 1
      bus.ring('a')
      if (i % 50 === 0) await new Promise(setImmediate)
    }
    await vi.waitFor(() => expect(seen).toBe(500), WAIT)
  })

  it('hears a ring that is made by whoever hears the one before', async () => {
    const bus = open(kind)
    const heard = vi.fn(() => {
      if (heard.mock.calls.length < 300) bus.ring('a')
    })
    bus.subscribe('a', heard)
    await ready(bus)
    bus.ring('a')
    await vi.waitFor(() => expect(heard.mock.calls.length).toBeGreaterThanOrEqual(300), WAIT)
  })

  it('stops after unsubscribe, which may be called twice, and starts again', async () => {
    const bus = open(kind)
    const [left, stays, again] = [vi.fn(), vi.fn(), vi.fn()]
    const leave = bus.subscribe('a', left)
    bus.subscribe('a', stays)
    await ready(bus)
    leave()
    leave()
    left.mockClear()
    stays.mockClear()
    await ringUntil(bus, 'a', stays)
    expect(left).not.toHaveBeenCalled()

    for (let i = 0; i < 20; i += 1) bus.subscribe('flapping', vi.fn())()
    bus.subscribe('flapping', again)
    await settled(bus)
    again.mockClear()
    bus.ring('flapping')
    await vi.waitFor(() => expect(again).toHaveBeenCalled(), WAIT)
  })

  it('lets no listener that throws hurt the others', async () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
    const bus = open(kind)
    const heard = vi.fn()
    bus.subscribe('a', () => {
      throw new Error('a bad listener')
    })
    bus.subscribe('a', heard)
    await ready(bus)
    heard.mockClear()
    bus.ring('a')
    await vi.waitFor(() => expect(heard).toHaveBeenCalled(), WAIT)
    if (kind === 'memory') expect(warned.mock.calls.at(-1)?.[0]).toContain('a bad listener')
    warned.mockRestore()
  })

  it('is harmless after close', async () => {
    const bus = open(kind)
    const heard = vi.fn()
    const leave = bus.subscribe('a', heard)
    await ready(bus)
    await bus.close()
    heard.mockClear()
    bus.ring('a')
    bus.subscribe('a', heard)()
    leave()
    await bus.close()
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(heard).not.toHaveBeenCalled()
    expect(bus.healthy()).toBe(false)
  })
})

describe('the redis bus', () => {
  it('rings in another process', async () => {
    const [here, there] = [open('redis'), open('redis')]
    const [first, second, other] = [vi.fn(), vi.fn(), vi.fn()]
    there.subscribe('a', first)
    there.subscribe('a', second)
    there.subscribe('b', other)
    await Promise.all([ready(here), ready(there), settled(there)])
    for (const heard of [first, second, other]) heard.mockClear()
    here.ring('a')
    await vi.waitFor(() => expect([first.mock.calls.length, second.mock.calls.length]).toEqual([1, 1]), WAIT)
    await settled(there)
    expect(other).not.toHaveBeenCalled()
  })

  it('opens one channel for all listeners of a topic, and closes it after the last', async () => {
    const admin = new Redis(port, '127.0.0.1')
    const subscriptions = async () => Number(/cmdstat_subscribe:calls=(\d+)/.exec(await admin.info('commandstats'))?.[1] ?? 0)
    const bus = open('redis')
    await ready(bus)
    const before = await subscriptions()
    const leaving = Array.from({ length: 50 }, () => bus.subscribe('crowded', vi.fn()))
    await vi.waitFor(async () => expect(await admin.pubsub('CHANNELS')).toContain('parley:crowded'), WAIT)
    expect(await subscriptions()).toBe(before + 1)
    for (const leave of leaving.splice(1)) leave()
    await settled(bus)
    expect(await admin.pubsub('CHANNELS')).toContain('parley:crowded')
    leaving[0]?.()
    await vi.waitFor(async () => expect(await admin.pubsub('CHANNELS')).not.toContain('parley:crowded'), WAIT)
    await admin.quit()
  })

  it('calls a new listener once its channel is open, because rings may have been missed until then', async () => {
    const bus = open('redis')
    await ready(bus)
    const heard = vi.fn()
    bus.subscribe('late', heard)
    await vi.waitFor(() => expect(heard).toHaveBeenCalledTimes(1), WAIT)
  })

  it('rings every local topic after Redis was away, rings locally meanwhile, and says so once', async () => {
    const lines: { msg: string; role: string }[] = []
    const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line)) })
    const bus = createRedisBus(`redis://127.0.0.1:${port}`, log)
    const far = open('redis')
    opened.push(bus)
    const [a, b, remote] = [vi.fn(), vi.fn(), vi.fn()]
    bus.subscribe('a', a)
    bus.subscribe('b', b)
    far.subscribe('a', remote)
    await Promise.all([ready(bus), ready(far)])
    expect(lines).toEqual([])

    await killRedis()
    await vi.waitFor(() => expect(bus.healthy()).toBe(false), WAIT)
    a.mockClear()
    for (let i = 0; i < 1_000; i += 1) bus.ring('a')
    await vi.waitFor(() => expect(a).toHaveBeenCalled(), WAIT)
    // Long enough for several attempts to connect.
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    expect(
      lines
        .filter((line) => line.msg.includes('rings are heard in this process only'))
        .map((line) => line.role)
        .sort(),
    ).toEqual(['publish', 'subscribe'])

    for (const heard of [a, b, remote]) heard.mockClear()
    await startRedis()
    await Promise.all([ready(bus), ready(far)])
    await vi.waitFor(() => expect([a, b, remote].every((heard) => heard.mock.calls.length > 0)).toBe(true), WAIT)
    remote.mockClear()
    bus.ring('a')
    await vi.waitFor(() => expect(remote).toHaveBeenCalled(), WAIT)
  })

  it('says why it may not log in, or not subscribe, without its password, and still rings here', async () => {
    const lines: string[] = []
    const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) })
    const admin = new Redis(port, '127.0.0.1')
    await admin.call('ACL', 'SETUSER', 'mute', 'on', '>hunter2', '+@all', '-subscribe', '-publish', 'allchannels')
    await admin.quit()
    for (const [user, reason] of [
      ['nobody', 'WRONGPASS'],
      ['mute', 'NOPERM'],
    ]) {
      const bus = createRedisBus(`redis://${user}:hunter2@127.0.0.1:${port}`, log)
      opened.push(bus)
      const heard = vi.fn()
      bus.subscribe('a', heard)
      await vi.waitFor(() => {
        bus.ring('a')
        expect(lines.some((line) => line.includes(reason ?? ''))).toBe(true)
        expect(heard).toHaveBeenCalled()
      }, WAIT)
      expect(bus.healthy()).toBe(false)
    }
    await vi.waitFor(() => {
      expect(lines.some((line) => line.includes('refuses PUBLISH'))).toBe(true)
      expect(lines.filter((line) => line.includes('refuses SUBSCRIBE'))).toHaveLength(1)
    }, WAIT)
    expect(lines.join('')).not.toContain('hunter2')
  })

  it('closes a connection that no longer answers, and comes back', async () => {
    const bus = open('redis')
    const heard = vi.fn()
    bus.subscribe('a', heard)
    await ready(bus)
    server?.kill('SIGSTOP')
    try {
      bus.ring('a')
      await vi.waitFor(() => expect(bus.healthy()).toBe(false), WAIT)
      heard.mockClear()
      bus.ring('a')
      await vi.waitFor(() => expect(heard).toHaveBeenCalled(), WAIT)
    } finally {
      server?.kill('SIGCONT')
    }
    await ready(bus)
  })

  it('starts without Redis and closes without it', async () => {
    await killRedis()
    const bus = open('redis')
    const heard = vi.fn()
    bus.subscribe('a', heard)
    bus.ring('a')
    await vi.waitFor(() => expect(heard).toHaveBeenCalled(), WAIT)
    expect(bus.healthy()).toBe(false)
    await bus.close()
    await startRedis()
  })
})
