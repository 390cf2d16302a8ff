/** An address as everybody on the staff may see it: a password before its host, or a key behind its path, is not for them. As it is where it is none. */
export function withoutSecrets(address: string): string {
  const url = URL.parse(address)
  return url === null || url.origin === 'null' ? address : `${url.origin}${url.pathname}`
}
