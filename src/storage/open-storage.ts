import { type Config, ConfigError } from '../config.ts'
import { fileStorage } from './disk.ts'
import type { Storage } from './storage.ts'

type Settings = Pick<Config, 'DATA_DIR' | 'S3_BUCKET' | 'S3_REGION' | 'S3_ENDPOINT' | 'S3_ACCESS_KEY_ID' | 'S3_SECRET_ACCESS_KEY'>

/** The bucket where S3_BUCKET is set, else the disk. Throws ConfigError that names what is missing or refused. */
export async function openStorage(config: Settings): Promise<{ storage: Storage; close(): void }> {
  const { S3_BUCKET: bucket, S3_ENDPOINT: endpoint, S3_ACCESS_KEY_ID: accessKeyId, S3_SECRET_ACCESS_KEY: secretAccessKey } = config
  if (bucket === undefined) {
    const useless = (['S3_ENDPOINT', 'S3_ACCESS_KEY_ID', 'S3_SECRET_ACCESS_KEY'] as const).filter((name) => config[name] !== undefined)
    if (useless.length > 0) throw new ConfigError(`S3_BUCKET: must be set where ${useless.join(', ')} is`)
    return { storage: fileStorage(`${config.DATA_DIR}/storage`), close: () => undefined }
  }
  if (accessKeyId === undefined && secretAccessKey !== undefined)
    throw new ConfigError('S3_ACCESS_KEY_ID: must be set together with S3_SECRET_ACCESS_KEY')
  if (accessKeyId !== undefined && secretAccessKey === undefined)
    throw new ConfigError('S3_SECRET_ACCESS_KEY: must be set together with S3_ACCESS_KEY_ID')
  const credentials = accessKeyId === undefined || secretAccessKey === undefined ? null : { accessKeyId, secretAccessKey }
  // The SDK is large, and most processes need none of it.
  const { s3Storage } = await import('./s3.ts')
  const storage = s3Storage({ bucket, region: config.S3_REGION, endpoint: endpoint ?? null, credentials })
  try {
    await storage.check()
  } catch (error) {
    storage.close()
    throw error
  }
  return { storage, close: () => storage.close() }
}
