import { expect, test } from 'vitest'
import { judgeMemory } from '../../scripts/soak/judge-memory.ts'
import type { Memory } from '../../scripts/soak/memory.ts'

const memory = (megabytes: number[], connections = [30]): Memory => ({
  megabytes: new Map([['web 1', megabytes.map((value, at) => ({ at, value }))]]),
  peaks: new Map([['web 1', Math.max(...megabytes)]]),
  connections: connections.map((value, at) => ({ at, value })),
})

const rising = (from: number, to: number) => Array.from({ length: 400 }, (_, index) => from + ((to - from) * index) / 399)

test('a heap that finds its size in the first quarter is flat', () => {
  expect(judgeMemory(memory([...rising(100, 300).slice(0, 100), ...rising(300, 301).slice(100)]), 15).broken).toEqual([])
})

test('a little more, or a fifteenth of much, is flat; more than that is not', () => {
  expect(judgeMemory(memory(rising(50, 70)), 15).broken).toEqual([])
  expect(judgeMemory(memory(rising(500, 560)), 15).broken).toEqual([])
  expect(judgeMemory(memory(rising(300, 500)), 15).broken).toHaveLength(1)
})

test('a run that is too short says so, and is not judged', () => {
  const { broken, numbers } = judgeMemory(memory(rising(300, 500)), 5)
  expect(broken).toEqual([])
  expect(numbers).toContainEqual(expect.stringContaining('not judged'))
})

test('more connections than the pools hold break the promise in a short run too', () => {
  expect(judgeMemory(memory([100], [30, 200]), 5).broken).toHaveLength(1)
})
