import { createSourceEventStream, type ExecutionArgs, type ExecutionResult, execute, print } from 'graphql'
import type { Viewer } from '../auth/viewer.ts'
import type { Visitor } from '../visitor-tokens.ts'

type SubscriptionContext = { viewer: Viewer | null; visitor: Visitor | null }

type Results = Map<string, Promise<ExecutionResult>>

// Keyed by the log's own event objects, of which all followers of an organization get the same one.
const executed = new WeakMap<object, Results>()

/**
 * graphql's `subscribe`, but an event is executed once for all subscribers that would see the same: same operation, variables, role or visitor. The
 * organization need not be named: an event belongs to one. Each execution gets a context of its own, because loaders cache by it.
 */
export async function subscribeShared(args: ExecutionArgs): Promise<AsyncIterableIterator<ExecutionResult> | ExecutionResult> {
  const source: AsyncIterable<unknown> | ExecutionResult = await createSourceEventStream(args)
  if (!(Symbol.asyncIterator in source)) return source
  const context = args.contextValue as SubscriptionContext
  const seenBy = context.viewer?.role ?? context.visitor?.id ?? null
  const key = JSON.stringify([print(args.document), args.operationName ?? null, args.variableValues ?? {}, seenBy])
  const iterator = source[Symbol.asyncIterator]()
  const results: AsyncIterableIterator<ExecutionResult> = {
    [Symbol.asyncIterator]: () => results,
    async next() {
      const result = await iterator.next()
      if (result.done) return { done: true, value: undefined }
      return { done: false, value: await executeOnce(args, result.value, key) }
    },
    async return() {
      await iterator.return?.()
      return { done: true, value: undefined }
    },
  }
  return results
}

type Entry = { event?: object }

function executeOnce(args: ExecutionArgs, payload: unknown, key: string): Promise<ExecutionResult> {
  const run = async (): Promise<ExecutionResult> =>
    (await execute({ ...args, rootValue: payload, contextValue: { ...(args.contextValue as object) } })) as ExecutionResult
  const event = (payload as Entry).event
  if (event === undefined) return run()
  const results: Results = executed.get(event) ?? new Map()
  executed.set(event, results)
  const result = results.get(key) ?? run()
  results.set(key, result)
  // A failure is not shared with those who come later: for them the database may be back.
  void result.then(({ errors }) => errors !== undefined && results.delete(key))
  return result
}
