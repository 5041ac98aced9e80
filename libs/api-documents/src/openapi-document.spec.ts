import { describe, expect, it } from '@jest/globals';
import { isErrorCode, type OperationContract, operations, statusesOf } from '@latchkey/contracts';
import { openApiDocument, triableDocument } from './openapi-document.js';

const document = openApiDocument();
const list: readonly OperationContract[] = operations.operations;

interface DescribedOperation {
  readonly operationId: string;
  readonly security: unknown;
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required: boolean }[];
  readonly requestBody?: { readonly required: boolean; readonly content: Record<string, { readonly schema: Record<string, unknown> }> };
  readonly responses: Record<string, { readonly headers?: object; readonly content?: Record<string, { readonly schema: unknown }> }>;
}

function described(operation: OperationContract, within = document): DescribedOperation {
  return within.paths[operation.path]![operation.method.toLowerCase()] as DescribedOperation;
}

/** The codes that a documented status may come with. */
function codesAt({ responses }: DescribedOperation, status: number): readonly string[] {
  const schema = responses[status]?.content?.['application/problem+json']?.schema as { allOf: [unknown, { properties: { code: { enum: string[] } } }] } | undefined;
  return schema?.allOf[1].properties.code.enum ?? [];
}

function referencesIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) => (key === '$ref' ? [member as string] : referencesIn(member)));
}

describe('the OpenAPI document', () => {
  it('has every operation, under its id, and nothing else', () => {
    const ids = Object.values(document.paths).flatMap((item) => Object.values(item).flatMap((each) => (each as Partial<DescribedOperation>).operationId ?? []));
    expect(ids.sort()).toEqual(list.map(({ id }) => id).sort());
  });

  it.each(list.map((operation) => [operation.id, operation] as const))('has every answer and every refusal of %s', (_, operation) => {
    const call = described(operation);
    for (const status of Object.keys(operation.answers)) expect(call.responses).toHaveProperty(status);
    for (const refusal of operation.refusals) {
      if (typeof refusal !== 'string') expect(codesAt(call, refusal.status)).toContain(refusal.code);
      else expect(Object.keys(call.responses).flatMap((status) => codesAt(call, Number(status)))).toContain(refusal);
    }
  });

  it('refers to nothing that it does not have', () => {
    const references = [...new Set(referencesIn(document))];
    expect(references.length).toBeGreaterThan(20);
    for (const reference of references) {
      const [, ...steps] = reference.split('/');
      const found = steps.reduce<unknown>((value, step) => (value as Record<string, unknown> | undefined)?.[step], document);
      expect([reference, typeof found]).toEqual([reference, 'object']);
    }
    expect(JSON.stringify(document)).not.toContain('$defs');
  });

  it('says who may call', () => {
    expect(described(operations.createCookie).security).toEqual([{ apiKey: ['cookies'] }]);
    expect(described(operations.showMerchant).security).toEqual([{ apiKey: [] }]);
    expect(described(operations.createLicense).security).toEqual([{ dpop: [] }]);
    expect(described(operations.showJwks).security).toEqual([]);
    expect(codesAt(described(operations.createCookie), 403)).toEqual(['forbidden']);
    expect(codesAt(described(operations.showMerchant), 403)).toEqual([]);
    expect(codesAt(described(operations.createCookie), 401)).toEqual(['unauthenticated']);
  });

  it('says what may be left out, and that nothing may be added', () => {
    const token = described(operations.createRegistrationToken);
    expect(token.parameters).toEqual([
      expect.objectContaining({ name: 'cookie', in: 'query', required: false }),
      expect.objectContaining({ name: 'X-Latchkey-Cookie', in: 'header', required: false }),
    ]);
    expect(token.requestBody?.required).toBe(false);
    expect(described(operations.createPurchase).requestBody).toMatchObject({
      required: true,
      content: { 'application/json': { schema: { additionalProperties: false, required: ['purchaseId', 'cookie', 'contentId', 'kids', 'rights'] } } },
    });
  });

  it('says what waits for the client in headers', () => {
    expect(described(operations.createCookie).responses[429]!.headers).toHaveProperty('Retry-After');
    expect(described(operations.createCookie).responses[503]!.headers).toHaveProperty('Retry-After');
    expect(described(operations.createLicense).responses[401]!.headers).toMatchObject({ 'WWW-Authenticate': {}, 'DPoP-Nonce': {} });
    expect(described(operations.createLicense).responses[200]!.headers).toHaveProperty('DPoP-Nonce');
    expect(described(operations.createCookie).responses[201]!.headers).toBeUndefined();
  });

  it('takes licence requests from the licence server', () => {
    for (const path of ['/v1/licenses', '/v1/device/tokens']) expect(document.paths[path]).toHaveProperty('servers');
    expect(document.paths['/v1/cookies']).not.toHaveProperty('servers');
  });

  it('has bodies to begin with, which the calls take as they are', () => {
    const examples = list.flatMap((operation) => ((operation.body?.meta()?.examples ?? []) as unknown[]).map((example) => [operation.id, operation.body!.safeParse(example).error?.issues] as const));
    expect(new Set(examples.map(([id]) => id)).size).toBeGreaterThanOrEqual(8);
    expect(examples.filter(([, issues]) => issues !== undefined)).toEqual([]);
    expect(described(operations.createCookie).requestBody!.content['application/json']!.schema).toMatchObject({ examples: [{ accountId: 'alice' }] });
  });

  it('fills in what a path needs, and nothing that may be left out', () => {
    expect(described(operations.storeContentKey).parameters).toEqual([expect.objectContaining({ name: 'kid', example: '0123456789abcdef0123456789abcdef' })]);
    expect(described(operations.showPurchaseToken).parameters!.filter((each) => 'example' in each).map(({ name }) => name)).toEqual(['purchaseId']);
  });

  it('shows what each refusal looks like, with the status that it comes with', () => {
    const { examples } = document.components as { examples: Record<string, { value: { code: string; status: number } }> };
    for (const { value } of Object.values(examples)) expect(isErrorCode(value.code) && statusesOf(value.code)).toContain(value.status);
    const { content } = described(operations.createPurchase).responses[409]!;
    expect(content!['application/problem+json']).toMatchObject({ examples: { 'device-revoked': { $ref: '#/components/examples/device-revoked-409' } } });
  });

  it('says of each call that a page cannot send where it can be tried', () => {
    const noted = list.filter((operation) => 'description' in described(operation)).map(({ id }) => id);
    expect(noted).toEqual(expect.arrayContaining(['createLicense', 'showDeviceTokens', 'streamEvents']));
    expect(noted).not.toContain('createCookie');
  });
});

describe('the document for a page', () => {
  it.each([
    ['https://api.example', '/'],
    ['https://api.example/latchkey', '/latchkey'],
  ])('of %s sends its calls to where the page came from', (gateway, url) => {
    const page = triableDocument(openApiDocument({ gateway, licenseServer: 'https://play.example' }), gateway);
    expect(page.servers).toEqual([expect.objectContaining({ url }), expect.objectContaining({ url: gateway })]);
    expect(page.paths['/v1/licenses']).toMatchObject({ servers: [{ url: 'https://play.example' }] });
  });

  it('asks for the API key alone', () => {
    expect(Object.keys(triableDocument(document, 'https://api.example').components['securitySchemes']!)).toEqual(['apiKey']);
    expect(document.components['securitySchemes']).toHaveProperty('dpop');
  });
});
