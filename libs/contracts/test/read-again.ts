/** A rule of the public surface as a person reads it in the API's description, made without its schemas. */
export type Rule = (value: unknown) => boolean;

const lower = 'abcdefghijklmnopqrstuvwxyz';
const digits = '0123456789';
const alphanumeric = lower + lower.toUpperCase() + digits;

const textOf =
  (least: number, most: number, allowed: (character: string) => boolean): Rule =>
  (value) => {
    if (typeof value !== 'string') return false;
    const characters = Array.from(value);
    return characters.length >= least && characters.length <= most && characters.every(allowed);
  };
const among = (characters: string) => (character: string) => characters.includes(character);
const visible = (character: string): boolean => character > ' ' && character < '\u007f';
const printable = (character: string): boolean => {
  const point = character.codePointAt(0)!;
  return point > 0x1f && !(point >= 0x7f && point <= 0x9f) && !(point >= 0xd800 && point <= 0xdfff);
};

export const outsideId = textOf(1, 128, among(`${alphanumeric}._:-`));
export const cookie = textOf(1, 32, among(`${alphanumeric}._~:@+/=-`));
export const deviceId = textOf(1, 128, visible);
export const token = textOf(1, 6144, visible);
export const kid = textOf(32, 32, among('0123456789abcdef'));
export const contentKey = textOf(32, 32, among('0123456789abcdefABCDEF'));
export const reason = textOf(1, 256, printable);
export const idempotencyKey = textOf(1, 128, visible);
export const lastEventId = textOf(1, 18, among(digits));
export const waitSeconds: Rule = (value) => Array.from({ length: 31 }, (_, n) => String(n)).includes(value as string);
export const kids: Rule = (value) => Array.isArray(value) && value.length >= 1 && value.length <= 32 && value.every(kid) && new Set(value).size === value.length;
export const seconds =
  (most: number): Rule =>
  (value) =>
    Number.isInteger(value) && (value as number) >= 1 && (value as number) <= most;

/** RFC 3339 in UTC: every part there, and a day that the calendar has. */
export const timestamp: Rule = (value) => {
  const [, date = '', time = ''] = typeof value === 'string' ? (/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z$/.exec(value) ?? []) : [];
  if (date === '' || date < '0001' || time > '23:59:59' || time.slice(3, 5) > '59' || time.slice(6) > '59') return false;
  const noon = Date.parse(`${date}T12:00:00Z`);
  return !Number.isNaN(noon) && new Date(noon).toISOString().startsWith(date);
};

/** An object with these members and no other; those whose name ends in `?` may be left out. */
export const members =
  (rules: Readonly<Record<string, Rule>>): Rule =>
  (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
    const given = Object.entries(value).filter(([, member]) => member !== undefined);
    const ruleOf = new Map(Object.entries(rules).map(([name, rule]) => [name.replace('?', ''), rule]));
    const needed = Object.keys(rules).filter((name) => !name.endsWith('?'));
    return given.every(([name, member]) => ruleOf.get(name)?.(member)) && needed.every((name) => given.some(([each]) => each === name));
  };

export const rights: Rule = (value) => {
  const { type, availableFrom, availableUntil } = (value ?? {}) as Record<string, string>;
  const form: Readonly<Record<string, Rule>> =
    type === 'rental'
      ? { type: () => true, 'availableFrom?': timestamp, availableUntil: timestamp, playDurationSeconds: seconds(315_360_000) }
      : { type: (each: unknown) => each === 'purchase', 'availableFrom?': timestamp };
  return members(form)(value) && (availableFrom === undefined || availableUntil === undefined || Date.parse(availableFrom) < Date.parse(availableUntil));
};

export const keys: Rule = (value) => typeof value === 'object' && value !== null && !Array.isArray(value) && Object.entries(value).every(([id, key]) => kid(id) && contentKey(key));

export const madeId = textOf(1, 64, among(`${alphanumeric}_-`));
export const deliveryState: Rule = (value) => ['pending', 'delivered', 'failed'].includes(value as string);
export const pageLimit: Rule = (value) => Array.from({ length: 100 }, (_, n) => String(n + 1)).includes(value as string);

const told = ['device.registered', 'device.revoked', 'license.denied', 'license.granted', 'purchase.completed', 'purchase.refunded', 'purchase.rejected', 'token.issued', 'token.revoked'].map((name) => `${name}.v1`);
export const eventTypes: Rule = (value) => Array.isArray(value) && value.length > 0 && value.every((each) => told.includes(each as string)) && new Set(value).size === value.length;

/** A URL that hides nothing: scheme, host, a port of the web or an unprivileged one, and what follows. */
export const webhookUrl: Rule = (value) => {
  if (!textOf(1, 2048, visible)(value) || !URL.canParse(value as string)) return false;
  const { protocol, username, password, port, href } = new URL(value as string);
  const start = ['http://', 'https://'].find((scheme) => (value as string).startsWith(scheme));
  const rest = (value as string).slice(start?.length ?? 0);
  const authority = rest.slice(0, (rest + '/').search(/[/?#]/));
  const plain = start === `${protocol}//` && username + password === '' && !authority.includes('@') && authority !== '' && !href.includes('#') && !rest.includes('#') && !rest.includes('\\');
  return plain && (port === '' || port === '80' || port === '443' || Number(port) >= 1024);
};
