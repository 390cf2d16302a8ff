import type { TypedDocumentNode } from '@graphql-typed-document-node/core'
import { print } from 'graphql'
import { type Client, createClient, type FormattedExecutionResult } from 'graphql-ws'
import { WebSocket } from 'ws'

type Server = { url: string }

/** How a subscription came to its end: the server completed it, refused it, or closed the connection (code 0: it just broke). */
export type Ending =
  | { by: 'complete' }
  | { by: 'errors'; errors: readonly { message: string; extensions?: unknown }[] }
  | { by: 'close'; code: number; reason: string }

/** One running subscription and all it has been given. */
export type Subscriber<Data> = {
  results: FormattedExecutionResult<Data>[]
  /** The data of all results; throws where one has errors. */
  data(): Data[]
  ended: Promise<Ending>
  stop(): void
}

/** A graphql-ws connection that does not come back by itself. */
export function openSocket(server: Server, connectionParams: Record<string, unknown>): Client {
  const url = `${server.url.replace(/^http/, 'ws')}/graphql`
  return createClient({ url, webSocketImpl: WebSocket, connectionParams, retryAttempts: 0, lazyCloseTimeout: 0 })
}

const collecting = <Data>(): Pick<Subscriber<Data>, 'results' | 'data'> => {
  const results: FormattedExecutionResult<Data>[] = []
  return {
    results,
    data: () =>
      results.map(({ data, errors }) => {
        if (errors !== undefined || data === null || data === undefined) throw new Error(`a result has errors: ${JSON.stringify(errors)}`)
        return data
      }),
  }
}

/** Runs one operation on a connection of its own, or on the client given. */
export function overSocket<Data, Variables>(
  server: Server,
  {
    document,
    variables,
    token,
    client = openSocket(server, { authorization: `Bearer ${token}` }),
  }: Operation<Data, Variables> & { client?: Client },
): Subscriber<Data> {
  const subscriber = collecting<Data>()
  const ended = Promise.withResolvers<Ending>()
  const query = typeof document === 'string' ? document : print(document)
  const stop = client.subscribe<Data>(
    { query, variables: variables as Record<string, unknown> },
    {
      next: (result) => void subscriber.results.push(result as FormattedExecutionResult<Data>),
      complete: () => ended.resolve({ by: 'complete' }),
      error: (error) => ended.resolve(endingOf(error)),
    },
  )
  return { ...subscriber, ended: ended.promise, stop }
}

type Operation<Data, Variables> = { document: TypedDocumentNode<Data, Variables> | string; variables?: Variables; token: string }

function endingOf(error: unknown): Ending {
  if (Array.isArray(error)) return { by: 'errors', errors: error }
  const { code, reason } = error as { code?: number; reason?: string }
  return { by: 'close', code: code ?? 0, reason: reason ?? String(error) }
}

/** Resolves when the server has begun to answer; throws with the answer where it is not an event stream. */
export async function overSse<Data, Variables>(
  server: Server,
  { document, variables, token }: Operation<Data, Variables>,
): Promise<Subscriber<Data>> {
  const connection = new AbortController()
  const response = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query: typeof document === 'string' ? document : print(document), variables }),
    signal: connection.signal,
  })
  if (response.body === null || !response.headers.get('content-type')?.startsWith('text/event-stream')) {
    throw new Error(`no event stream: ${response.status} ${await response.text()}`)
  }
  const subscriber = collecting<Data>()
  const read = async (stream: AsyncIterable<string>): Promise<Ending> => {
    let text = ''
    for await (const chunk of stream) {
      text += chunk
      const messages = text.split('\n\n')
      text = messages.pop() ?? ''
      for (const message of messages) {
        if (/^event: complete$/m.test(message)) return { by: 'complete' }
        const payload = /^data: (.+)$/m.exec(message)?.[1]
        if (/^event: next$/m.test(message) && payload !== undefined) subscriber.results.push(JSON.parse(payload))
      }
    }
    return { by: 'close', code: 0, reason: 'the stream ended without the word complete' }
  }
  const ended = read(response.body.pipeThrough(new TextDecoderStream())).catch(
    (error: Error): Ending => ({ by: 'close', code: 0, reason: error.message }),
  )
  return { ...subscriber, ended, stop: () => connection.abort() }
}

/** The sum of a metric's samples. */
export async function metric(server: Server, name: string): Promise<number> {
  const text = await (await fetch(`${server.url}/metrics`)).text()
  const samples = [...text.matchAll(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)$`, 'gm'))]
  if (samples.length === 0) throw new Error(`there is no metric ${name}`)
  return samples.reduce((sum, [, value]) => sum + Number(value), 0)
}

/** Subscriptions that follow the event log now. */
export const followers = (server: Server): Promise<number> => metric(server, 'parley_event_log_followers')
