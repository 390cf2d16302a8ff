import { pino } from 'pino'
import { startApp } from '../../src/app.ts'
import { loadConfig } from '../../src/config.ts'
import { type Pace, simulatedNow } from './simulated-pace.ts'

// A worker whose clock is told to it by its parent, and which asks for jobs as often as time is faster.
const config = loadConfig()
let pace = JSON.parse(process.env.SIMULATED_PACE ?? '') as Pace
process.on('message', (told: Pace) => {
  pace = told
})
await startApp({ ...config, POLL_SECONDS: 0.05 }, pino({ level: config.LOG_LEVEL }), () => simulatedNow(pace))
console.log('works')
