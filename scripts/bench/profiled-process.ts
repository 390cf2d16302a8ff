import { Session } from 'node:inspector/promises'

// Loaded before the server: profiles its CPU from 'start' to 'stop' of the process that began it.

const session = new Session()
session.connect()

async function obey(order: unknown): Promise<unknown> {
  if (order === 'stop') return (await session.post('Profiler.stop')).profile
  await session.post('Profiler.enable')
  await session.post('Profiler.setSamplingInterval', { interval: 500 })
  await session.post('Profiler.start')
}

process.on('message', (order) => {
  obey(order).then(
    (result) => process.send?.({ result }),
    (error: Error) => process.send?.({ error: error.message }),
  )
})
// It must not keep a server alive that wants to end.
process.channel?.unref()
