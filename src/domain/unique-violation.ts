import { Prisma } from '../db/generated/client.ts'

type DriverError = { cause?: { originalCode?: string } }

/** Whether a concurrent transaction was the first to write what may exist once. */
export function isUniqueViolation(error: unknown): boolean {
  if (!(error instanceof Prisma.PrismaClientKnownRequestError)) return false
  // Of a hand-written statement Prisma says only that it has failed, and PostgreSQL why.
  return error.code === 'P2002' || (error.meta?.driverAdapterError as DriverError | undefined)?.cause?.originalCode === '23505'
}
