// Cursors are opaque, and only the product signs attachment links.
const OWN_SPELLING = new Set(['cursor', 'startCursor', 'endCursor', 'url'])

/** A floor that answers something else would be no floor: compares the first 20 answers. */
export async function checkSame(
  name: string,
  product: { port: number; requests: string[] },
  floorPort: number,
  floor: string[],
): Promise<void> {
  for (const [index, request] of product.requests.slice(0, 20).entries()) {
    const [ours, theirs] = await Promise.all([answer(product.port, request), answer(floorPort, floor[index] ?? '')])
    if (ours === theirs) continue
    let same = 0
    while (ours[same] === theirs[same]) same++
    const near = (text: string) => text.slice(Math.max(0, same - 100), same + 100)
    throw new Error(`${name}: the server answers\n… ${near(ours)} …\nbut its floor\n… ${near(theirs)} …`)
  }
}

/** A peer's answer has another form; it must be one all the same. */
export async function checkNoErrors(name: string, port: number, request: string): Promise<void> {
  const given = await answer(port, request)
  if (given.includes('"errors":')) throw new Error(`${name} answers ${given.slice(0, 2000)}`)
}

async function answer(port: number, request: string): Promise<string> {
  const [head = '', body = ''] = request.split('\r\n\r\n')
  const [first = '', ...headers] = head.split('\r\n')
  const [method = '', path = ''] = first.split(' ')
  const wanted = headers.map((header) => header.split(': ') as [string, string]).filter(([key]) => !/^(host|content-length)$/i.test(key))
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, headers: wanted, body: method === 'POST' ? body : null })
  return JSON.stringify(JSON.parse(await response.text()), (key, value: unknown) => (OWN_SPELLING.has(key) ? null : value))
}
