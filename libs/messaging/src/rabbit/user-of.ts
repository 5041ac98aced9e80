/** The broker user that a URL logs in as. Checked here, because the error of a malformed URL would carry it, and its password, into logs. */
export function userOf(url: string): string {
  if (!URL.canParse(url) || !/^amqps?:/.test(url)) throw new Error('the broker’s address is not an amqp: or amqps: URL');
  return decodeURIComponent(new URL(url).username) || 'guest';
}
