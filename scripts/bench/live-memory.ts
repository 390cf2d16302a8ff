import { setTimeout as sleep } from 'node:timers/promises'
import { openSockets } from './live-socket.ts'
import { residentMegabytes } from './process-usage.ts'

export type LiveMemoryTask = { port: number; pid: number; sockets: number; greetings: string[] }

const SETTLING_MS = 1_500
const WARM_UPS = 40

/** KB (10^3 bytes) of the server process for each socket: resident memory before and after, garbage collected both times. */
export async function liveMemory({ port, pid, sockets, greetings }: LiveMemoryTask): Promise<number> {
  // What a process allocates once, however many there are: compiled code, and room for what is soon garbage.
  for (let round = 0; round < WARM_UPS; round++) for (const socket of await openSockets(port, greetings, 50)) socket.close()
  const before = await settled(pid)
  const opened = await openSockets(port, greetings, sockets)
  const after = await settled(pid)
  for (const socket of opened) socket.close()
  return ((after - before) * 1000) / sockets
}

async function settled(pid: number): Promise<number> {
  for (let round = 0; round < 3; round++) {
    await sleep(SETTLING_MS / 3)
    process.kill(pid, 'SIGUSR2')
  }
  await sleep(SETTLING_MS)
  return residentMegabytes(pid)
}
