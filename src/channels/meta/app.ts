/** The app at Meta, one for all organizations, and where its Graph API is (no trailing slash). `timeoutMs`: of one request. */
export type MetaApp = {
  appId: string | null
  appSecret: string | null
  verifyToken: string | null
  graphUrl: string
  version: string
  timeoutMs: number
}
