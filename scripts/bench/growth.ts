import type { Pair } from './measure.ts'
import type { Options } from './options.ts'
import { knownReads, reads } from './reads.ts'
import { READ_SLUG } from './seed.ts'
import type { World } from './world.ts'

const TIMES = 10

/** The pages in an organization with ten times the rows, and among ten times as many organizations, against one small organization. */
export async function growthPairs(world: World, { size }: Options): Promise<Pair[]> {
  const small = size / TIMES
  const slugs = Array.from({ length: TIMES }, (_, index) => `${READ_SLUG}-${index + 1}`)
  const one = await world.another('bench_small', { size: small, organizations: [{ slug: READ_SLUG, deep: true }] })
  const many = await world.another('bench_many', { size: small, organizations: slugs.map((slug) => ({ slug, deep: true })) })
  return Promise.all(
    Object.values(reads).map(async (read) => ({
      name: `${read.name}: ${TIMES} times the rows`,
      unit: 'requests/s',
      product: await knownReads(world, world, [READ_SLUG], read),
      also: [{ name: `${TIMES} times the organizations`, contender: await knownReads(world, many, slugs, read) }],
      floor: await knownReads(world, one, [READ_SLUG], read),
      floorName: 'before it grew',
    })),
  )
}
