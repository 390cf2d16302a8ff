// Runs one command after another as its parent says, each with arguments and an environment of its own: to load the product takes a second.
type Command = { script: string; args: string[]; env: NodeJS.ProcessEnv }

let runs = 0

process.on('message', async ({ script, args, env }: Command) => {
  process.env = env
  process.argv.splice(2, Number.POSITIVE_INFINITY, ...args)
  process.exitCode = 0
  runs += 1
  // The number makes it a module of its own, which runs again; what it imports is there already.
  await import(`../../scripts/${script}.ts?run=${runs}`)
  const code = process.exitCode
  for (const stream of [process.stdout, process.stderr]) stream.write('\0')
  process.send?.(code)
})
