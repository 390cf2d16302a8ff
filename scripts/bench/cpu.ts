import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

// USER_HZ, which Linux shows to programs as 100 on every architecture that Node runs on.
const TICKS = 100

/** CPU seconds (user and system, all threads) that a process has used so far; NaN where the system does not tell. */
export function cpuSeconds(pid: number): number {
  if (process.platform === 'linux') {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
    return (Number(fields[11]) + Number(fields[12])) / TICKS
  }
  if (process.platform === 'win32') return Number.NaN
  const parts = execFileSync('ps', ['-o', 'time=', '-p', String(pid)], { encoding: 'utf8' })
    .trim()
    .split(':')
  return parts.reduce((seconds, part) => seconds * 60 + Number(part), 0)
}
