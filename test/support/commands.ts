import { execFile, fork } from 'node:child_process'
import { once } from 'node:events'

export type Ended = { code: number; stdout: string; stderr: string }

type Command = { script: string; args: string[]; env: NodeJS.ProcessEnv }

/** Runs scripts/`script`.ts as npm does, in a process of its own. */
export function runAlone({ script, args, env }: Command): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [`scripts/${script}.ts`, ...args], { env }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr })
    })
  })
}

/** A process that runs one command after another, none at the same time; what a command leaves open is not noticed. */
export function startCommands(env: NodeJS.ProcessEnv) {
  const child = fork('test/support/command-process.ts', { env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
  const { stdout, stderr } = child
  if (stdout === null || stderr === null) throw new Error('a process without output')
  for (const stream of [stdout, stderr]) stream.setEncoding('utf8')
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the process of the commands has ended (${code})`)
  })
  ended.catch(() => undefined)
  return {
    async run(command: Command): Promise<Ended> {
      const answer = Promise.all([once(child, 'message'), written(stdout), written(stderr)])
      child.send(command)
      const [[code], out, err] = await Promise.race([answer, ended])
      return { code, stdout: out, stderr: err }
    },
    stop: () => void child.kill(),
  }
}

/** What comes before the next NUL. */
function written(stream: NodeJS.ReadableStream): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    const read = (chunk: string) => {
      text += chunk
      if (!text.endsWith('\0')) return
      stream.off('data', read)
      resolve(text.slice(0, -1))
    }
    stream.on('data', read)
  })
}
