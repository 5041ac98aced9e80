/** Whether nobody but this machine reaches what listens there. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(host);
}

/**
 * Whether standalone is there for this machine alone: it listens on a loopback address, and nothing says that clients know it
 * by another. Behind a proxy or a tunnel it listens on loopback too, and the whole world comes that way.
 */
export function isForThisMachine(environment: Readonly<Record<string, string | undefined>>, host: string): boolean {
  const known = [environment['LATCHKEY_PUBLIC_URL'], environment['LATCHKEY_LICENSE_URL']].filter((url) => url !== undefined && url !== '');
  return isLoopback(host) && known.every((url) => isLoopback(new URL(url!).hostname));
}
