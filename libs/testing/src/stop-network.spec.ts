import { expect, it } from '@jest/globals';
import { stopNetwork } from './stop-network.js';

const refusal = (statusCode: number, message: string): Error => Object.assign(new Error(message), { statusCode });
const activeEndpoints = refusal(403, 'error while removing network: it has active endpoints');

/** A network whose removal is refused so often with this. */
function networkThatRefuses(times: number, error: Error) {
  const network = {
    asked: 0,
    stop: () => (++network.asked > times ? Promise.resolve(undefined as never) : Promise.reject(error)),
  };
  return network;
}

it('asks again for as long as containers that are gone still hold it', async () => {
  const network = networkThatRefuses(3, activeEndpoints);
  await stopNetwork(network, 1);
  expect(network.asked).toBe(4);
});

it('tells that a network stays, where a container never lets it go', async () => {
  const network = networkThatRefuses(Infinity, activeEndpoints);
  await expect(stopNetwork(network, 1)).rejects.toBe(activeEndpoints);
});

it('asks once where the refusal is another', async () => {
  const network = networkThatRefuses(Infinity, refusal(500, 'the daemon is ill'));
  await expect(stopNetwork(network, 1)).rejects.toThrow('the daemon is ill');
  expect(network.asked).toBe(1);
});
