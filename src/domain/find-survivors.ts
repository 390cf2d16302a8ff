type Mergeable = { id: string; mergedIntoId: string | null }

/** Rows by their ids; the id of one that was merged leads to the one that it was merged into. `find` reads rows by their ids. */
export async function findSurvivors<Row extends Mergeable>(
  ids: readonly string[],
  find: (ids: string[]) => Promise<Row[]>,
): Promise<Map<string, Row>> {
  const rows = await find([...ids])
  const elsewhere = rows.flatMap(({ mergedIntoId }) => mergedIntoId ?? [])
  const survivors = elsewhere.length === 0 ? [] : await find(elsewhere)
  const living = new Map([...rows, ...survivors].map((row) => [row.id, row]))
  return new Map(rows.map((row) => [row.id, living.get(row.mergedIntoId ?? row.id) ?? row]))
}
