import type { Profiler } from 'node:inspector'

const WIDTH = 1600
const ROW = 17
const CHARACTER = 6.6
/** Narrower ones cannot be seen. */
const LEAST = 0.4

type Frame = { name: string; where: string; self: number; total: number; callees: Map<string, Frame> }

/** Neither waiting nor the profiler's own beginning and end, which take a while, are the server's work. */
export const isWork = ({ functionName, url }: { functionName: string; url: string }): boolean =>
  functionName !== '(idle)' && url !== 'node:inspector'

/** The work in a CPU profile as SVG: callers below, width is time, and each frame tells more where the mouse rests. */
export function flameGraph(profile: Profiler.Profile, title: string): string {
  const root = merged(profile)
  const rectangles: string[] = []
  let depth = 0
  const draw = (frame: Frame, x: number, level: number): void => {
    const width = (frame.total / root.total) * WIDTH
    if (width < LEAST) return
    depth = Math.max(depth, level)
    rectangles.push(rectangle(frame, { x, y: -(level + 1) * ROW, width }, root.total))
    let left = x
    for (const callee of [...frame.callees.values()].sort((a, b) => b.total - a.total)) {
      draw(callee, left, level + 1)
      left += (callee.total / root.total) * WIDTH
    }
  }
  draw(root, 0, 0)
  const height = (depth + 1) * ROW + 40
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="monospace" font-size="11">
<rect width="100%" height="100%" fill="#fff"/><text x="8" y="20" font-size="14">${escaped(title)}</text>
<g transform="translate(0 ${height})">
${rectangles.join('\n')}
</g></svg>\n`
}

/** The samples as one tree, calls of the same function from the same callers together. */
function merged({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): Frame {
  const selfTimes = new Map<number, number>()
  for (const [index, id] of samples.entries()) selfTimes.set(id, (selfTimes.get(id) ?? 0) + Math.max(0, timeDeltas[index] ?? 0))
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const root: Frame = { name: 'all', where: '', self: 0, total: 0, callees: new Map() }
  const add = (id: number, parent: Frame): number => {
    const node = byId.get(id)
    if (node === undefined || !isWork(node.callFrame)) return 0
    const { functionName, url, lineNumber } = node.callFrame
    const where = url === '' ? '' : `${url.replace(/^.*\/(?=node_modules\/|src\/|schema\/)/, '')}:${lineNumber + 1}`
    const key = `${functionName} ${where}`
    const frame = parent.callees.get(key) ?? { name: functionName || '(anonymous)', where, self: 0, total: 0, callees: new Map() }
    parent.callees.set(key, frame)
    const self = selfTimes.get(id) ?? 0
    const total = self + (node.children ?? []).reduce((sum, child) => sum + add(child, frame), 0)
    frame.self += self
    frame.total += total
    return total
  }
  root.total = (nodes[0]?.children ?? []).reduce((sum, id) => sum + add(id, root), 0)
  return root
}

function rectangle(frame: Frame, { x, y, width }: { x: number; y: number; width: number }, all: number): string {
  const share = (time: number) => `${((100 * time) / all).toFixed(1)} %`
  const label = width < 4 * CHARACTER ? '' : escaped(frame.name.slice(0, Math.floor(width / CHARACTER)))
  return (
    `<g><title>${escaped(`${frame.name} ${frame.where}`)}: ${share(frame.total)}, itself ${share(frame.self)}</title>` +
    `<rect x="${x.toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="${ROW - 1}" fill="${color(frame)}"/>` +
    `${label === '' ? '' : `<text x="${(x + 3).toFixed(1)}" y="${y + ROW - 5}">${label}</text>`}</g>`
  )
}

/** Ours, packages, Node's own, V8's. */
function color({ where }: Frame): string {
  if (where === '') return '#ddd'
  if (where.startsWith('node:')) return '#b9d7ea'
  return where.startsWith('node_modules/') ? '#f6d186' : '#f08a5d'
}

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
