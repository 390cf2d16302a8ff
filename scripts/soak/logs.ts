import type { Outages } from './outages.ts'

/** `expected`: of the `count`, how many were written while something was away. */
export type LoggedError = { kind: string; example: string; processes: Set<string>; count: number; expected: number }

export type Logs = { errors: Map<string, LoggedError>; hear(process: string, line: string): void }

type Line = { level: number; time: number; msg?: string; args?: { message?: string }[]; err?: { code?: string; message?: string } }

const ERROR = 50
const LONGEST = 200
/** What a process says besides its log, and all but the first line of a stack trace or an object. */
const NO_NEWS = /^(Parley listens on .*|Stopping.*|Debugger .*|For help, see: .*|[\s}].*|)$/

/** pino's lines of level error and above, and whatever else a process says that is no line of a log, by kind. */
export function createLogs(outages: Outages): Logs {
  const errors = new Map<string, LoggedError>()
  return {
    errors,
    hear(process, text) {
      if (NO_NEWS.test(text)) return
      const line = read(text)
      if (line.level < ERROR) return
      const kind = kindOf(line)
      const known = errors.get(kind) ?? { kind, example: text, processes: new Set(), count: 0, expected: 0 }
      errors.set(kind, known)
      known.processes.add(process)
      known.count += 1
      if (outages.explains(line.time)) known.expected += 1
      else if (known.count - known.expected === 1) known.example = text
    },
  }
}

/** Without numbers and addresses, which are others each time. */
function kindOf({ msg, args, err }: Line): string {
  const parts = [msg, args?.[0]?.message, err?.code ?? err?.message].filter((part) => part !== undefined)
  return parts.join(' · ').replaceAll(/\s+/g, ' ').replaceAll(/\d+/g, '#').slice(0, LONGEST)
}

function read(text: string): Line {
  try {
    const line: unknown = JSON.parse(text)
    if (typeof line === 'object' && line !== null && 'level' in line) return line as Line
  } catch {
    // Not of the log: a complaint of Node's or of a library's.
  }
  return { level: ERROR, time: Date.now(), msg: text }
}
