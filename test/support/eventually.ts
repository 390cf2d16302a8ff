import { vi } from 'vitest'

/** Repeats the check, which throws as long as it does not hold, until it holds; its last error where it never does. */
export const eventually = <T>(check: () => T | Promise<T>): Promise<T> => vi.waitFor(check, { timeout: 25_000, interval: 20 })
