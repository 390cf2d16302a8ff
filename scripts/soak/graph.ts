import { operation } from '../bench/graphql-request.ts'
import type { Organization } from './organizations.ts'
import type { Random } from './random.ts'
import type { Tally } from './tally.ts'

/** `again`: no answer, or one that asks to come again; what was asked may have been done. */
export type Answer<Data> = { data: Data } | { again: string } | { refused: string }

/** Asks any of the web processes once, and writes down how that went. */
export type Ask = <Data>(tally: Tally, organization: Organization, operationName: string, variables: object) => Promise<Answer<Data>>

const TIMEOUT_MS = 20_000

/** The documents of `operations` as a frontend sends them. */
export function createGraph(ports: readonly number[], random: Random, operations: readonly string[]): Ask {
  const documents = new Map(operations.map((name) => [name, operation(name)]))
  return async <Data>(tally: Tally, { token }: Organization, operationName: string, variables: object) => {
    const start = performance.now()
    const answer = await post<Data>(`http://127.0.0.1:${random.pick(ports)}/graphql`, token, {
      query: documents.get(operationName),
      operationName,
      variables,
    })
    const milliseconds = performance.now() - start
    if ('data' in answer) tally.answer(milliseconds)
    else tally.fail(`${operationName}: ${'again' in answer ? answer.again : answer.refused}`, milliseconds)
    return answer
  }
}

type Body<Data> = { data?: Data; errors?: { message: string; extensions?: { code?: string } }[] }

async function post<Data>(url: string, token: string, body: object): Promise<Answer<Data>> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    if (response.status >= 500) {
      await response.arrayBuffer()
      return { again: `HTTP ${response.status}` }
    }
    const { data, errors = [] } = (await response.json()) as Body<Data>
    const [error] = errors
    if (error === undefined && data !== undefined) return { data }
    const code = error?.extensions?.code ?? `HTTP ${response.status}`
    // A mutation's field may have failed after its change was committed.
    return ['SERVICE_UNAVAILABLE', 'INTERNAL_SERVER_ERROR'].includes(code)
      ? { again: code }
      : { refused: `${code} ${error?.message ?? ''}` }
  } catch (error) {
    return { again: reasonOf(error) }
  }
}

/** Of a fetch that failed. */
export function reasonOf(error: unknown): string {
  const { name, message, cause } = error as Error & { cause?: { code?: string } }
  return cause?.code ?? (name === 'TimeoutError' ? 'no answer in time' : message)
}
