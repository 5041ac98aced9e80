/** A JSON Schema, as far as the OpenAPI document uses it. */
export interface DocumentedSchema {
  readonly $ref?: string;
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'boolean';
  readonly const?: unknown;
  readonly oneOf?: readonly DocumentedSchema[];
  readonly properties?: Readonly<Record<string, DocumentedSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: false | DocumentedSchema;
  readonly items?: DocumentedSchema;
}

/** One value that differs from a good one in one thing, and in which. */
export interface Spoilt {
  readonly what: string;
  readonly value: unknown;
}

const ofOtherTypes = { null: null, boolean: true, integer: 7, string: 'x', array: ['x'], object: { x: 'x' } } as const;
const nested = (depth: number): unknown => JSON.parse('['.repeat(depth) + ']'.repeat(depth));
const badStrings: Readonly<Record<string, string>> = {
  'an empty text': '',
  'a text that is too long': 'x'.repeat(7_000),
  'a text with U+0000': 'a\u0000b',
  'half a character': '\ud83d',
  'two lines': 'a\nb',
};
const badIntegers: Readonly<Record<string, number>> = { zero: 0, 'a negative number': -1, 'a broken number': 1.5, 'a huge number': 1e300, 'a number that is no longer exact': 2 ** 53 };

/**
 * Every way to spoil a good value in one thing, by its schema. Throws where the good value leaves out a member that the
 * schema knows, for then nothing would be known about that member.
 */
export function spoilt(schema: DocumentedSchema, good: unknown, resolve: (reference: string) => DocumentedSchema, at = ''): Spoilt[] {
  if (schema.$ref !== undefined) return spoilt(resolve(schema.$ref), good, resolve, at);
  if (schema.oneOf) return spoilt(variantOf(schema.oneOf, good), good, resolve, at);
  const found: Spoilt[] = Object.entries(ofOtherTypes)
    .filter(([type]) => type !== schema.type)
    .map(([type, value]) => ({ what: `${at || 'the body'} is of type ${type}`, value }));
  found.push({ what: `${at} is nested`, value: nested(20) }, { what: `${at} is nested deeply`, value: nested(2_000) });
  const add = (bad: Readonly<Record<string, unknown>>): void => void found.push(...Object.entries(bad).map(([what, value]) => ({ what: `${at} is ${what}`, value })));
  if (schema.type === 'string') add(badStrings);
  if (schema.type === 'integer') add(badIntegers);
  if (schema.type === 'array') found.push(...spoiltLists(schema, good as unknown[], resolve, at));
  if (schema.type === 'object') found.push(...spoiltObjects(schema, good as Record<string, unknown>, resolve, at));
  return found;
}

function variantOf(variants: readonly DocumentedSchema[], good: unknown): DocumentedSchema {
  const variant = variants.find(({ properties }) => properties?.['type']?.const === (good as { type?: unknown }).type);
  if (!variant) throw new Error('the good value is of no variant');
  return variant;
}

function spoiltLists(schema: DocumentedSchema, good: readonly unknown[], resolve: (reference: string) => DocumentedSchema, at: string): Spoilt[] {
  return [
    { what: `${at} is empty`, value: [] },
    { what: `${at} says the same twice`, value: [good[0], good[0]] },
    { what: `${at} is too long`, value: Array.from({ length: 1_000 }, (_, n) => n.toString(16).padStart(32, '0')) },
    ...spoilt(schema.items!, good[0], resolve, `${at}/0`).map(({ what, value }) => ({ what, value: [value, ...good.slice(1)] })),
  ];
}

function spoiltObjects(schema: DocumentedSchema, good: Readonly<Record<string, unknown>>, resolve: (reference: string) => DocumentedSchema, at: string): Spoilt[] {
  const without = (name: string): object => Object.fromEntries(Object.entries(good).filter(([each]) => each !== name));
  const leftOut = Object.keys(schema.properties ?? {}).filter((name) => !(name in good));
  if (leftOut.length > 0) throw new Error(`the example has no ${leftOut.join(', ')} at ${at}`);
  const schemaOf = (name: string): DocumentedSchema => schema.properties?.[name] ?? (schema.additionalProperties as DocumentedSchema);
  return [
    ...['colour', '__proto__', 'constructor', ''].map((name) => ({ what: `${at} has the unknown member "${name}"`, value: Object.fromEntries([...Object.entries(good), [name, 'x']]) })),
    ...(schema.required ?? []).map((name) => ({ what: `${at} lacks ${name}`, value: without(name) })),
    ...Object.entries(good).flatMap(([name, value]) => spoilt(schemaOf(name), value, resolve, `${at}/${name}`).map((one) => ({ what: one.what, value: { ...good, [name]: one.value } }))),
  ];
}
