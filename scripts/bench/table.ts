import { availableParallelism, cpus, loadavg } from 'node:os'
import type { Entry, Row } from './measure.ts'

const HEAD = ['', 'a second', 'of the floor', 'p50 ms', 'p99 ms', 'CPU s per 1000', 'SQL statements', 'memory MB', 'also']

/** The one table, as Markdown; columns that nothing has are left out. What a path is compared with is the last line of its block. */
export function table(rows: Row[]): string {
  const lines = rows.flatMap(({ unit, entries }) => entries.map((entry, index) => cells(entry, unit, index > 0)))
  const used = HEAD.map((_, column) => column === 0 || lines.some((line) => line[column] !== ''))
  const all = [HEAD, ...lines].map((line) => line.filter((_, column) => used[column]))
  const widths = (all[0] ?? []).map((_, column) => Math.max(...all.map((line) => line[column]?.length ?? 0)))
  const format = (line: string[]) =>
    `| ${line.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))).join(' | ')} |`
  const rule = `|${widths.map((width, column) => (column === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`
  const [head = [], ...body] = all
  return [format(head), rule, ...body.map(format)].join('\n')
}

function cells({ name, numbers, percent }: Entry, unit: string, beside: boolean): string[] {
  const { perSecond, p50, p99, cpu, statements, memory, also } = numbers
  return [
    beside ? `– ${name}` : name,
    Number.isNaN(perSecond) ? '' : `${significant(perSecond)} ${unit}`,
    percent === null ? '' : `${percent.toFixed(0)} %`,
    significant(p50),
    significant(p99),
    Number.isNaN(cpu) ? '' : cpu.toFixed(cpu < 0.1 ? 4 : 2),
    Number.isNaN(statements) ? '' : statements.toFixed(statements < 0.1 ? 4 : 2),
    significant(memory),
    Object.entries(also)
      .map(([what, value]) => `${significant(value)} ${what}`)
      .join(', '),
  ]
}

function significant(value: number): string {
  if (Number.isNaN(value)) return ''
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(value < 10 ? 1 : 0)
}

/** On what it ran, and how busy that was (load average of the last minute). */
export const machine = (): string =>
  `${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${availableParallelism()} cores, ${process.platform}, Node ${process.version}, ` +
  `load ${(loadavg()[0] ?? 0).toFixed(1)} before`
