import { z } from 'zod';

/** A JSON Schema of dialect 2020-12, as OpenAPI 3.1 and AsyncAPI 3 embed it. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * The named schemas of one document. Zod schemas with an id become one component each, whatever refers to them, so that
 * a reader meets `Kid` once and not in thirty places.
 */
export class JsonSchemas {
  /** What belongs under `components.schemas` of the document. */
  readonly components: Record<string, JsonSchema> = {};

  /**
   * The JSON Schema of what a sender may write (`io: 'input'`), with references into `components.schemas`.
   *
   * @throws Error if two different schemas have the same id: one of them would be documented as the other.
   */
  of(schema: z.ZodType): JsonSchema {
    const { $defs, ...own } = z.toJSONSchema(schema, { io: 'input', target: 'draft-2020-12' });
    // Both kinds of document say themselves which dialect their schemas are of.
    delete own.$schema;
    for (const [id, definition] of Object.entries($defs ?? {})) this.add(id, referringToComponents(definition) as JsonSchema);
    return referringToComponents(own) as JsonSchema;
  }

  private add(id: string, schema: JsonSchema): void {
    const present = this.components[id];
    if (present && JSON.stringify(present) !== JSON.stringify(schema)) throw new Error(`two schemas have the id ${id}`);
    this.components[id] = schema;
  }
}

function referringToComponents(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(referringToComponents);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [
      key,
      key === '$ref' && typeof member === 'string' ? member.replace(/^#\/\$defs\//, '#/components/schemas/') : referringToComponents(member),
    ]),
  );
}
