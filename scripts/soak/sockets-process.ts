import { type InboxSocket, openInboxSocket, type Seen } from './inbox-socket.ts'
import { createRandom } from './random.ts'

/** All the sockets are in a process of their own, so that neither the other load nor their own work delays what is measured there. */
export type SocketTask =
  | { kind: 'open'; ports: number[]; tokens: string[]; document: string; seed: number; organizationOf: number[] }
  | { kind: 'settle' }
  | { kind: 'status' }

/** `behind`: of each organization the least event number that one of its sockets stands at, and the greatest. */
export type SocketStatus = Seen & { sockets: number; open: number; stand: { least: number; greatest: number }[] }

/** Of all sockets, each second. */
const LEAVING = 0.015
/** One of them, each so many seconds. */
const BEHIND_SECONDS = 30
/** So that a start is no stampede. */
const OPENED_EACH_MS = 2

const sockets: InboxSocket[] = []
let churn: NodeJS.Timeout | undefined
const seen: Seen = { events: 0, resumed: 0, closes: {}, faults: [] }

function open(task: Extract<SocketTask, { kind: 'open' }>): void {
  const random = createRandom(task.seed)
  const urls = () => task.ports.map((port) => `ws://127.0.0.1:${port}/graphql`)
  for (const [index, organization] of task.organizationOf.entries()) {
    const { document } = task
    setTimeout(() => {
      sockets.push(openInboxSocket({ organization, token: task.tokens[organization] ?? '', document, urls, random, seen }))
    }, index * OPENED_EACH_MS)
  }
  let seconds = 0
  churn = setInterval(() => {
    seconds += 1
    for (const socket of sockets) if (random.chance(LEAVING)) socket.leave()
    if (seconds % BEHIND_SECONDS === 0) random.pick(sockets.filter(({ organization }) => organization === 0)).fallBehind()
  }, 1_000)
}

function status(): SocketStatus {
  const stand: SocketStatus['stand'] = []
  for (const { organization, last } of sockets) {
    const known = stand[organization] ?? { least: last, greatest: last }
    stand[organization] = { least: Math.min(known.least, last), greatest: Math.max(known.greatest, last) }
  }
  return { ...seen, faults: seen.faults.slice(0, 20), sockets: sockets.length, open: sockets.filter((socket) => socket.open).length, stand }
}

process.on('disconnect', () => process.exit())
// Ctrl+C reaches the whole group: the parent ends this process when it has.
process.on('SIGINT', () => undefined)
process.on('message', (task: SocketTask) => {
  if (task.kind === 'open') open(task)
  if (task.kind === 'settle') clearInterval(churn)
  process.send?.(status())
})
