import { setTimeout as delay } from 'node:timers/promises'
import type { LoadResult } from './http-load.ts'

/** `provider`: the port of the provider that messages arrive at; `trigger`: what has to be asked to send them, if not the worker by itself. */
export type DeliveryTask = { provider: number; seconds: number; trigger?: string }

/** Counts what arrives at the provider in the time given, after half a second in which the worker gets going. */
export async function deliveryLoad({ provider, seconds, trigger }: DeliveryTask): Promise<LoadResult> {
  const ended = trigger === undefined ? null : fetch(trigger, { method: 'POST' })
  await delay(500)
  const start = performance.now()
  const before = await accepted(provider)
  await delay(seconds * 1000)
  const done = (await accepted(provider)) - before
  const took = (performance.now() - start) / 1000
  await ended
  return { done, seconds: took, p99: Number.NaN, bytes: 0 }
}

const accepted = async (port: number): Promise<number> => Number(await (await fetch(`http://127.0.0.1:${port}/`)).text())
