/** Where Meta keeps what people send: its two content networks, and the address that redirects to them. */
const NETWORKS = ['fbcdn.net', 'cdninstagram.com']
const REDIRECTOR = 'lookaside.fbsbx.com'

/** Is `address` one of Meta's own files? Only https, without credentials and on the usual port. */
export function isMediaHost(address: string | URL): boolean {
  const url = URL.parse(String(address))
  if (url === null || url.protocol !== 'https:' || url.port !== '' || url.username !== '' || url.password !== '') return false
  return url.hostname === REDIRECTOR || NETWORKS.some((network) => url.hostname === network || url.hostname.endsWith(`.${network}`))
}
