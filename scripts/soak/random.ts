/** What is left to chance. The same seed gives the same numbers; which request gets which is up to the network. */
export type Random = {
  /** From 0 up to, but not including, 1. */
  next(): number
  /** A whole number from 0 up to, but not including, `end`. */
  below(end: number): number
  chance(probability: number): boolean
  between(min: number, max: number): number
  /** Throws where the list is empty. */
  pick<Item>(list: readonly Item[]): Item
}

/** mulberry32. */
export function createRandom(seed: number): Random {
  let state = seed
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (end: number) => Math.floor(next() * end)
  return {
    next,
    below,
    chance: (probability) => next() < probability,
    between: (min, max) => min + next() * (max - min),
    pick<Item>(list: readonly Item[]): Item {
      if (list.length === 0) throw new Error('nothing to pick from')
      return list[below(list.length)] as Item
    },
  }
}
