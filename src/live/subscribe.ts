import { createSourceEventStream, type ExecutionArgs, type ExecutionResult } from 'graphql'
import type { EventLog } from '../events/event-log.ts'
import { executeOnce, type MaskError } from './execute-once.ts'
import type { Outlet } from './group.ts'
import { createLiveGroups } from './groups.ts'
import { isLogFeed } from './log-feed.ts'
import { operationKey } from './operation-key.ts'

/**
 * Where the transport can be written to directly; without it, results are pulled. `served` is set when a group serves the subscription:
 * nothing else of the operation is needed then.
 */
export type Direct = { to?: { id: string; outlet: Outlet; served: AsyncIterableIterator<ExecutionResult> | null } }

export type Subscribe = (args: ExecutionArgs) => Promise<AsyncIterableIterator<ExecutionResult> | ExecutionResult>

/**
 * graphql's `subscribe`, but an event is executed once for all subscribers that would see the same. Subscriptions of the log whose transport
 * can be written to directly are served in groups; each of the others pulls. `mask`: what clients are told of an error.
 */
export function createSubscribe(events: EventLog, mask: MaskError): Subscribe {
  const groups = createLiveGroups(events, mask)
  return async (args) => {
    const source: AsyncIterable<unknown> | ExecutionResult = await createSourceEventStream(args)
    if (!(Symbol.asyncIterator in source)) return source
    const key = operationKey(args)
    const { to, ...contextValue } = args.contextValue as Direct
    if (isLogFeed(source) && to !== undefined) {
      to.served = groups.join({ ...args, contextValue }, source, key, to)
      return to.served
    }
    const iterator = source[Symbol.asyncIterator]()
    if ('opened' in iterator) await iterator.opened
    return pulled(iterator, (payload) => executeOnce({ ...args, contextValue: { ...contextValue } }, payload, key, mask))
  }
}

function pulled(
  iterator: AsyncIterator<unknown>,
  execute: (payload: unknown) => Promise<ExecutionResult>,
): AsyncIterableIterator<ExecutionResult> {
  const results: AsyncIterableIterator<ExecutionResult> = {
    [Symbol.asyncIterator]: () => results,
    async next() {
      const result = await iterator.next()
      if (result.done) return { done: true, value: undefined }
      return { done: false, value: await execute(result.value) }
    },
    async return() {
      await iterator.return?.()
      return { done: true, value: undefined }
    },
  }
  return results
}
