import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { expressPlayEndpoints, type OperationContract, operations } from '@latchkey/contracts';
import { Operation } from '@latchkey/service-defaults';
import { Controller, Get, Module } from '@nestjs/common';
import { gatewayService } from '../src/index.js';
import { GatewayUnderTest, refusalOf } from './gateway-under-test.js';

/** A call that somebody wrote and did not add to the public surface. */
const unlisted = { ...operations.showMerchant, id: 'showUnlisted', path: '/v1/unlisted' } satisfies OperationContract;

@Controller()
class Forgotten {
  @Operation(unlisted)
  show(): string {
    return 'what nobody may see';
  }

  @Get('/v1/undescribed')
  undescribed(): string {
    return 'what nobody may see';
  }
}

@Module({ imports: [gatewayService.module], controllers: [Forgotten] })
class WithForgotten {}

/** The paths of a tree as Fastify prints it, each with its methods. */
function routesIn(tree: string): string[] {
  const steps: string[] = [];
  return tree.split('\n').flatMap((line) => {
    const [, indent, step, methods] = /^((?:│ {3}| {4})*)(?:├──|└──) (.*?)(?: \(([A-Z, ]+)\))?$/u.exec(line) ?? [];
    if (indent === undefined || step === undefined) return [];
    steps.splice(indent.length / 4, Infinity, step);
    return methods === undefined ? [] : methods.split(', ').map((method) => `${method} ${steps.join('')}`);
  });
}

describe('the routes of the gateway', () => {
  let tree = '';
  const gateway = new GatewayUnderTest({}, {
    ...gatewayService,
    equip: async (app) => {
      await gatewayService.equip?.(app);
      const fastify = app.getHttpAdapter().getInstance();
      fastify.addHook('onReady', async () => {
        tree = fastify.printRoutes({ commonPrefix: false });
      });
    },
  });
  beforeAll(() => gateway.start());
  afterAll(() => gateway.stop());

  const open = ['/asyncapi.yaml', '/docs…', '/health/live', '/health/ready', '/metrics', '/openapi.json'];

  it('are the operations of the public surface, and what everybody may see', () => {
    const described = operations.operations
      .filter(({ server }: OperationContract) => server !== 'license-server')
      .map(({ method, path }) => `${method} ${path.replace(/\{([^}]+)\}/g, ':$1')}`);
    const expressPlay = expressPlayEndpoints.flatMap(({ methods, path }) => methods.flatMap((method) => [path, `${path}/`].map((each) => `${method} ${each.replace(/\{([^}]+)\}/g, ':$1')}`)));
    const expected = [...described, ...expressPlay, ...open.map((path) => `GET ${path}`)];
    const found = routesIn(tree).filter((route) => !/^(?:HEAD|OPTIONS) /.test(route)).map((route) => route.replace(/ \/docs(?:\/.*)?$/, ' /docs…'));
    expect([...new Set(found)].sort()).toEqual(expected.sort());
  });

  it('ask for a key on HEAD as on GET', async () => {
    for (const { path } of operations.operations.filter(({ method, server }: OperationContract) => method === 'GET' && server === 'gateway')) {
      expect([path, (await gateway.call('HEAD', path.replace(/\{[^}]+\}/g, 'some'), { key: null })).status]).toEqual([path, 401]);
    }
  });
});

describe('a route that was forgotten in the contracts', () => {
  const gateway = new GatewayUnderTest({}, { ...gatewayService, module: WithForgotten });
  beforeAll(() => gateway.start());
  afterAll(() => gateway.stop());

  it.each(['/v1/unlisted', '/v1/undescribed'])('is open to nobody: %s', async (path) => {
    for (const key of [null, gateway.key]) expect(await refusalOf(await gateway.call('GET', path, { key }))).toMatchObject({ status: 500, code: 'internal' });
  });
});
