import { setTimeout as delay } from 'node:timers/promises'
import type { LoadResult } from './http-load.ts'

/** `provider`: the port of the provider that messages arrive at. */
export type DeliveryTask = { provider: number; seconds: number }

/** Counts what arrives at the provider in the time given, after half a second in which the worker gets going. */
export async function deliveryLoad({ provider, seconds }: DeliveryTask): Promise<LoadResult> {
  await delay(500)
  const start = performance.now()
  const before = await accepted(provider)
  await delay(seconds * 1000)
  const done = (await accepted(provider)) - before
  const took = (performance.now() - start) / 1000
  return { done, seconds: took, p99: Number.NaN, bytes: 0 }
}

const accepted = async (port: number): Promise<number> => Number(await (await fetch(`http://127.0.0.1:${port}/`)).text())
