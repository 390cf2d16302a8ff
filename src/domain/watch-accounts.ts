import type { Deps } from '../deps.ts'
import { channelAccountsTopic } from '../events/bus.ts'

/** Calls `changed` soon after any channel account was connected, changed or disconnected, here or in another process. */
export const watchAccounts = (deps: Pick<Deps, 'bus'>, changed: () => void): (() => void) =>
  deps.bus.subscribe(channelAccountsTopic, changed)

export const ringAccounts = (deps: Pick<Deps, 'bus'>): void => deps.bus.ring(channelAccountsTopic)
