import type { Caller } from '../auth/viewer.ts'
import { watchCredentials } from '../auth/watch-credentials.ts'
import type { Deps } from '../deps.ts'

/** Ends a stream when the credentials that opened it stop working. */
export function endWithCredentials<Value>(
  deps: Pick<Deps, 'bus' | 'clock' | 'log' | 'pool'>,
  caller: Caller,
  source: AsyncIterableIterator<Value>,
): AsyncIterableIterator<Value> {
  const stopWatching = watchCredentials(deps, caller, () => void source.return?.())
  const values: AsyncIterableIterator<Value> = {
    [Symbol.asyncIterator]: () => values,
    async next() {
      const result = await source.next()
      if (result.done) stopWatching()
      return result
    },
    async return() {
      stopWatching()
      await source.return?.()
      return { done: true, value: undefined }
    },
  }
  return values
}
