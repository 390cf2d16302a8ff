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
  const parts = ps('time=', pid).split(':')
  return parts.reduce((seconds, part) => seconds * 60 + Number(part), 0)
}

/** Resident memory of a process in MB (10^6 bytes); NaN where the system does not tell. */
export function residentMegabytes(pid: number): number {
  if (process.platform === 'win32') return Number.NaN
  const kilobytes =
    process.platform === 'linux' ? /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] : ps('rss=', pid)
  return (Number(kilobytes) * 1024) / 1e6
}

const ps = (column: string, pid: number): string => execFileSync('ps', ['-o', column, '-p', String(pid)], { encoding: 'utf8' }).trim()
