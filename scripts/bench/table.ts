import { availableParallelism, cpus } from 'node:os'
import type { Numbers, Row } from './measure.ts'

/** The one table, as Markdown. */
export function table(rows: Row[]): string {
  const lines = rows.flatMap(({ name, unit, product, floor, percent }) => [
    line(name, unit, product, `${percent.toFixed(0)} %`),
    line('– its floor', unit, floor, '100 %'),
  ])
  const head = ['', 'a second', 'of the floor', 'CPU s per 1000', 'p99 ms']
  const all = [head, ...lines]
  const widths = head.map((_, column) => Math.max(...all.map((cells) => cells[column]?.length ?? 0)))
  const format = (cells: string[]) =>
    `| ${cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))).join(' | ')} |`
  const rule = `|${widths.map((width, column) => (column === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`
  return [format(head), rule, ...lines.map(format)].join('\n')
}

function line(name: string, unit: string, { perSecond, cpu, p99 }: Numbers, percent: string): string[] {
  const rate = perSecond >= 100 ? Math.round(perSecond).toLocaleString('en') : perSecond.toFixed(1)
  return [name, `${rate} ${unit}`, percent, cpu.toFixed(cpu < 0.1 ? 4 : 2), p99.toFixed(p99 < 10 ? 1 : 0)]
}

/** On what it ran. */
export const machine = (): string =>
  `${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${availableParallelism()} cores, ${process.platform}, Node ${process.version}`
