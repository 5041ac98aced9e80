import { Agent, request } from 'node:http';
import { performance } from 'node:perf_hooks';
import type { FakeDevice } from '@latchkey/kits';

/** A device with a content token, ready to ask for licences. */
export interface Player {
  readonly device: FakeDevice;
  readonly token: string;
}

/** Where licence requests go, and what their proofs name. */
export interface LicenseTarget {
  readonly port: number;
  readonly licenseUrl: string;
  readonly kid: string;
}

interface Answer {
  readonly status: number;
  readonly nonce: string;
}

/** Asks for `count` licences over so many connections; answers how long each took, in milliseconds. */
export async function askForLicenses(
  players: readonly Player[],
  { port, licenseUrl, kid }: LicenseTarget,
  { count, connections }: { readonly count: number; readonly connections: number },
): Promise<readonly number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const body = JSON.stringify({ kids: [Buffer.from(kid, 'hex').toString('base64url')], type: 'temporary' });
  const send = ({ token }: Player, proof: string): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const headers = { authorization: `DPoP ${token}`, dpop: proof, 'content-type': 'application/json', 'content-length': body.length };
      const sent = request({ port, host: '127.0.0.1', path: '/v1/licenses', method: 'POST', agent, headers }, (response) => {
        response.resume();
        response.on('end', () => resolve({ status: response.statusCode!, nonce: String(response.headers['dpop-nonce']) }));
      });
      sent.on('error', reject);
      sent.end(body);
    });
  const { nonce } = await send(players[0]!, players[0]!.device.proof({ licenseUrl, token: players[0]!.token, nonce: null }));
  // Signed before the clock starts: what a player computes is no cost of the server.
  const requests = Array.from({ length: count }, (_, index) => {
    const player = players[index % players.length]!;
    return { player, proof: player.device.proof({ licenseUrl, token: player.token, nonce }) };
  });
  const durationsMs: number[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) {
      const { player, proof } = requests[index]!;
      const startedMs = performance.now();
      const { status } = await send(player, proof);
      if (status !== 200) throw new Error(`a licence request was answered ${status}`);
      durationsMs.push(performance.now() - startedMs);
    }
  };
  await Promise.all(Array.from({ length: connections }, worker));
  agent.destroy();
  return durationsMs;
}
