import { pino } from 'pino'
import { migrate } from '../../src/db/migrate.ts'

const [url] = process.argv.slice(2)
if (url === undefined) throw new Error('usage: migrate-process <url>')
process.send?.(await migrate(url, pino({ level: 'silent' })))
process.disconnect()
