import { fork } from 'node:child_process'
import { once } from 'node:events'
import { operation } from '../bench/graphql-request.ts'
import type { Organization } from './organizations.ts'
import type { Parley } from './parley.ts'
import type { SocketStatus, SocketTask } from './sockets-process.ts'

/** `pid`: its memory is not the product's. */
export type Sockets = { status(): Promise<SocketStatus>; settle(): Promise<void>; end(): Promise<void> }

/** Opens `count` subscriptions over all web processes, as many in each organization; they come and go until they are to settle. */
export async function startSockets(count: number, organizations: Organization[], webs: Parley[], seed: number): Promise<Sockets> {
  const child = fork(new URL('sockets-process.ts', import.meta.url), { env: { NODE_ENV: 'production' } })
  let last: Promise<unknown> = Promise.resolve()
  // One question at a time: an answer does not say what it answers.
  const ask = (task: SocketTask): Promise<SocketStatus> => {
    const answer = last.then(async () => {
      child.send(task)
      const [status] = await once(child, 'message')
      return status as SocketStatus
    })
    last = answer
    return answer
  }
  await ask({
    kind: 'open',
    ports: webs.map(({ port }) => port),
    tokens: organizations.map(({ token }) => token),
    document: operation('InboxEvents'),
    seed,
    organizationOf: Array.from({ length: count }, (_, index) => index % organizations.length),
  })
  return {
    status: () => ask({ kind: 'status' }),
    settle: async () => void (await ask({ kind: 'settle' })),
    async end() {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGTERM')
      await once(child, 'exit')
    },
  }
}
