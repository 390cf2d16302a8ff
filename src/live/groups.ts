import type { ExecutionArgs, ExecutionResult } from 'graphql'
import type { EventLog } from '../events/event-log.ts'
import { executeOnce, type MaskError, serializeOnce } from './execute-once.ts'
import { createLiveGroup, type LiveGroup, type Outlet, type Subscriber } from './group.ts'
import type { LogFeed } from './log-feed.ts'

export type LiveGroups = {
  /** Puts a subscription into its group, which writes to the outlet. The iterator gives nothing: it is there for the end, from either side. */
  join(args: ExecutionArgs, feed: LogFeed, key: string, to: { id: string; outlet: Outlet }): AsyncIterableIterator<ExecutionResult>
}

const DONE: IteratorResult<ExecutionResult> = { done: true, value: undefined }

/** One group for each organization and key, for as long as it has subscribers. */
export function createLiveGroups(events: EventLog, mask: MaskError): LiveGroups {
  const groups = new Map<string, LiveGroup>()

  const open = (args: ExecutionArgs, feed: LogFeed, key: string, name: string): LiveGroup =>
    createLiveGroup({
      events,
      feed,
      async serialize(entries) {
        const together = { ...args, contextValue: { ...(args.contextValue as object) } }
        return (await Promise.all(entries.map((entry) => executeOnce(together, entry, key, mask)))).map(serializeOnce)
      },
      emptied: () => void groups.delete(name),
    })

  return {
    join(args, feed, key, to) {
      const name = `${feed.organizationId} ${key}`
      const group = groups.get(name) ?? open(args, feed, key, name)
      groups.set(name, group)
      const ended = Promise.withResolvers<IteratorResult<ExecutionResult>>()
      const subscriber: Subscriber = {
        id: to.id,
        outlet: to.outlet,
        ended(error) {
          group.leave(subscriber)
          if (error === undefined) ended.resolve(DONE)
          else ended.reject(error)
        },
      }
      group.join(subscriber, feed.after)
      const results: AsyncIterableIterator<ExecutionResult> = {
        [Symbol.asyncIterator]: () => results,
        next: () => ended.promise,
        async return() {
          group.leave(subscriber)
          ended.resolve(DONE)
          return DONE
        },
      }
      return results
    },
  }
}
