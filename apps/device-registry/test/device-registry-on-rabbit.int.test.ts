import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { createTestVhost, describeWithRabbit, eventually, type TestVhost } from '@latchkey/kits';
import { type Broker, connectRabbit } from '@latchkey/messaging';
import { type RegistryUnderTest, startDeviceRegistry } from './start-device-registry.js';

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

describeWithRabbit('two replicas on RabbitMQ', () => {
  let vhost: TestVhost;
  let broker: Broker;
  let house: RegistryUnderTest;

  beforeAll(async () => {
    vhost = await createTestVhost();
    broker = connectRabbit({ url: vhost.amqpUrl, clientName: 'device-registry-test', logger: silent });
    house = await startDeviceRegistry(broker, 2);
  });

  afterAll(async () => {
    await house.stop();
    await broker.close();
    await vhost.close();
  });

  it('bind one of 40 devices that come at once, tell of it, and revoke it', async () => {
    const outcomes = await Promise.all(Array.from({ length: 40 }, (_, index) => house.bind({ deviceId: `device-${index}` })));
    const winner = `device-${outcomes.indexOf('bound')}`;
    expect(outcomes.filter((outcome) => outcome === 'bound')).toHaveLength(1);
    await eventually(() => expect(house.cookies.registered.map(({ deviceId }) => deviceId)).toEqual([winner]));
    await Promise.all([house.revoke(winner), house.revoke(winner)]);
    expect(await house.bind({ deviceId: winner })).toBe('device-revoked');
    await eventually(() => expect(house.cookies.revoked.map(({ deviceId }) => deviceId)).toEqual([winner]));
  });

  it('hear of cookies in overlapping batches', async () => {
    const refs = Array.from({ length: 60 }, (_, index) => ({ merchantId: 'default', cookie: `crumb-${index}` }));
    await Promise.all([house.cookies.issue(refs, 'one'), house.cookies.issue([...refs].reverse(), 'two')]);
    await eventually(async () => expect(await house.database.query('select from known_cookies')).toHaveLength(60));
    await expect(house.record('crumb-7')).rejects.toMatchObject({ code: 'device-not-registered' });
    expect(house.cookies.asked).toBe(0);
  });
});
