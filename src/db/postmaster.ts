import { execFile } from 'node:child_process'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

/**
 * What postmaster.pid says (its lines: https://github.com/postgres/postgres/blob/REL_18_STABLE/src/include/utils/pidfile.h), or null where no server
 * runs. A file left behind whose number belongs to another program by now is removed: PostgreSQL itself would refuse to start.
 */
export async function readPostmaster(directory: string): Promise<{ port: number; ready: boolean } | null> {
  const path = join(directory, 'postmaster.pid')
  const lines = await readFile(path, 'utf8').then(
    (text) => text.split('\n'),
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null
      throw error
    },
  )
  if (lines === null) return null
  const pid = Number(lines[0])
  if (!(pid > 0 && (await isServerOf(pid, directory)))) {
    await rm(path, { force: true })
    return null
  }
  return { port: Number(lines[3]), ready: lines[7]?.trim() === 'ready' }
}

async function isServerOf(pid: number, directory: string): Promise<boolean> {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  const command = await commandOf(pid)
  return command === null || (command.includes('postgres') && command.includes(directory))
}

/** The command line of a process, or null where the system does not tell. */
async function commandOf(pid: number): Promise<string | null> {
  if (process.platform === 'linux') return readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => null)
  if (process.platform === 'win32') return null
  return promisify(execFile)('ps', ['-o', 'args=', '-p', String(pid)]).then(
    ({ stdout }) => stdout,
    () => null,
  )
}
