import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { GatewayUnderTest } from './gateway-under-test.js';

const gateway = new GatewayUnderTest();
beforeAll(() => gateway.start());
afterAll(() => gateway.stop());

const reference = (name: string): string => readFileSync(new URL(`../../../docs/reference/${name}`, import.meta.url), 'utf8');
const get = (path: string): Promise<Response> => gateway.call('GET', path, { key: null });

describe('the documents', () => {
  it('are served as they are checked in', async () => {
    const openApi = await get('/openapi.json');
    expect(openApi.headers.get('content-type')).toContain('application/json');
    expect(await openApi.json()).toEqual(JSON.parse(reference('openapi.json')));
    const asyncApi = await get('/asyncapi.yaml');
    expect(asyncApi.headers.get('content-type')).toContain('application/yaml');
    expect(await asyncApi.text()).toBe(reference('asyncapi.yaml'));
  });

  it('are shown by a page that fetches nothing from elsewhere', async () => {
    for (const page of ['/docs', '/docs/']) {
      const response = await get(page);
      const html = await response.text();
      expect([response.status, response.headers.get('content-type')]).toEqual([200, expect.stringContaining('text/html')]);
      const resources = [...html.matchAll(/<(?:script|link|img)[^>]*(?:src|href)="([^"]+)"/g)].map(([, url]) => new URL(url!, `${gateway.replica.url}${page}`));
      expect(resources.length).toBeGreaterThanOrEqual(4);
      for (const resource of resources) {
        expect(resource.origin).toBe(gateway.replica.url);
        const loaded = await get(resource.pathname);
        expect([resource.pathname, loaded.status]).toEqual([resource.pathname, 200]);
        await loaded.arrayBuffer();
      }
    }
    expect(await (await get('/docs/swagger-ui-init.js')).text()).toMatch(/"validatorUrl": ?null/);
  });
});
