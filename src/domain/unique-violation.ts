import { Prisma } from '../db/generated/client.ts'

/** Whether a concurrent transaction was the first to write what may exist once. */
export const isUniqueViolation = (error: unknown): boolean =>
  error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2002'
