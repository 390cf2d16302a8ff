import { pino } from 'pino'
import { startEmbedded, withEmbedded } from '../../src/db/embedded.ts'

const [role, dataDir] = process.argv.slice(2)
if (dataDir === undefined) throw new Error('usage: embedded-process own|visit <dataDir>')
const options = { dataDir, log: pino({ level: 'silent' }), settings: { fsync: 'off' } }

try {
  if (role === 'visit') {
    await withEmbedded(options, async (url) => process.send?.({ url }))
  } else {
    const { url, stop } = await startEmbedded(options)
    process.on('message', async () => {
      await stop()
      process.disconnect()
    })
    process.send?.({ url })
  }
} catch (error) {
  process.send?.({ error: (error as Error).message })
  process.disconnect()
}
