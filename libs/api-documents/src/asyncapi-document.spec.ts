import { describe, expect, it } from '@jest/globals';
import { DeviceRegistered, events, hear, hearCopy, passOn, PurchaseCompleted, say, type ServiceMessaging, TokenIssued } from '@latchkey/contracts';
import { parse } from 'yaml';
import { asyncApiDocument, asyncApiYaml } from './asyncapi-document.js';
import { messagingGraph } from './generated/messaging-graph.js';
import { messagingGraphOf } from './messaging-graph.js';

const services: readonly ServiceMessaging[] = [
  { service: 'token-issuer', hears: [hear(PurchaseCompleted, ['purchaseId', 'cookie']), hear(DeviceRegistered, ['cookie'])], says: [say(TokenIssued), passOn(PurchaseCompleted, ['gateway'])], asks: ['cookie'] },
  { service: 'gateway', hears: [hear(TokenIssued, ['tokenId']), hearCopy(PurchaseCompleted, ['purchaseId'])], says: [], asks: [] },
];
const graph = messagingGraphOf(services);
const document = asyncApiDocument(graph);

describe('the AsyncAPI document', () => {
  it('has a channel for every event, at its routing key, with its schema and its example', () => {
    const channels = Object.entries(document.channels);
    expect(channels.filter(([name]) => !name.includes('.copy.')).map(([, channel]) => channel['address'])).toEqual(events.map(({ type }) => type));
    expect(document.channels['PurchaseCompleted.copy.gateway']).toMatchObject({
      address: 'gateway.purchase.completed.v1',
      bindings: { amqp: { exchange: { name: 'latchkey.copies' } } },
    });
    const message = (document.components['messages'] as Record<string, Record<string, unknown>>)['TokenIssued']!;
    expect(message).toMatchObject({
      payload: { type: 'object', properties: { kids: { $ref: '#/components/schemas/Kids' } }, required: expect.arrayContaining(['merchantId', 'tokenId']) },
      headers: { properties: { cloudEvents_type: { const: 'token.issued.v1' } } },
      examples: [{ payload: TokenIssued.example }],
    });
    // Whoever reads an event ignores what a later version adds.
    expect(message['payload']).not.toHaveProperty('additionalProperties');
  });

  it('says who says and hears what; what no service says comes from checkouts', () => {
    const operations = Object.entries(document.operations).map(([id, { action }]) => `${id} ${String(action)}`);
    expect(operations).toEqual(
      expect.arrayContaining([
        'token-issuer.says.TokenIssued send',
        'gateway.hears.TokenIssued receive',
        'checkout.says.PurchaseCompleted send',
        'token-issuer.hears.PurchaseCompleted receive',
        'token-issuer.hears.DeviceRegistered receive',
        'token-issuer.copies.PurchaseCompleted.to.gateway send',
        'gateway.hears.PurchaseCompleted receive',
      ]),
    );
    expect(operations.filter((operation) => operation.includes('hears'))).toHaveLength(4);
    expect(document.operations['token-issuer.hears.PurchaseCompleted']!['summary']).toContain('purchaseId, cookie');
  });

  it('is the same in YAML', () => {
    const yaml = asyncApiYaml(graph);
    expect(parse(yaml)).toEqual(JSON.parse(JSON.stringify(document)));
    expect(yaml).not.toMatch(/[&*][a-z]\d/);
    expect(yaml.endsWith('\n')).toBe(true);
  });

  it('is made of what the services really list, in which everything said is heard by somebody', () => {
    const heard = new Set(messagingGraph.flatMap(({ hears }) => hears.map(({ event }) => event)));
    expect([...heard].sort()).toEqual(events.map(({ name }) => name).sort());
  });
});
