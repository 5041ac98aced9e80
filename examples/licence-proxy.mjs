// A proxy that stands between players and a licence server and asks Latchkey first, with nothing but Node:
//
//   LATCHKEY_URL=https://latchkey.example LATCHKEY_API_KEY=lk_… UPSTREAM_URL=https://drm.example/licence DRM=widevine \
//     PORT=8090 node examples/licence-proxy.mjs
//
// The key needs the scope licenses:verify and no other. A player POSTs its licence request with `Authorization: Bearer
// <token of Latchkey>` and `X-Device-Id`. What is not allowed is not passed on: 403 with Latchkey's code, or 503 where
// Latchkey does not answer. With DRM=other the request is a W3C Clear Key one, and Latchkey is told which kids it names.
import { createServer } from 'node:http';

const { LATCHKEY_URL, LATCHKEY_API_KEY, UPSTREAM_URL, DRM = 'other', HOST = '127.0.0.1', PORT = '8090' } = process.env;
if (!LATCHKEY_URL || !LATCHKEY_API_KEY || !UPSTREAM_URL) {
  console.error('usage: LATCHKEY_URL=… LATCHKEY_API_KEY=… UPSTREAM_URL=… [DRM=widevine|playready|fairplay|other] node examples/licence-proxy.mjs');
  process.exit(64);
}
const BODY_BYTES_MAX = 65_536;
const TIMEOUT_MS = 6_000;

/** What a player is answered in place of a licence. */
class Refusal extends Error {
  constructor(status, code) {
    super(code);
    Object.assign(this, { status, code });
  }
}

async function bodyOf(request) {
  const chunks = [];
  let bytes = 0;
  // The default closes the connection with what was not read, and with it the answer.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) throw new Refusal(413, 'payload-too-large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The one value of a header: of two, something on the way may have judged the other. */
function headerOf(request, name) {
  const values = request.headersDistinct[name] ?? [];
  return values.length === 1 ? values[0] : undefined;
}

/** A player's word, and worth no more. Where your licence server can read the device out of the request itself, take that. */
function deviceIdOf(request) {
  return headerOf(request, 'x-device-id');
}

/** The kids that a Clear Key request names, as Latchkey writes them. A DRM's own request is readable to its licence server alone. */
function kidsOf(body) {
  if (DRM !== 'other' || body.length === 0) return undefined;
  try {
    return JSON.parse(body).kids.map((kid) => Buffer.from(kid, 'base64url').toString('hex'));
  } catch {
    throw new Refusal(400, 'invalid-request');
  }
}

/** What is passed on: of a Clear Key request nothing but what was allowed. Read anew, the original might name other kids. */
function requestFor(kids, body) {
  if (DRM !== 'other') return body;
  return JSON.stringify({ kids: kids.map((kid) => Buffer.from(kid, 'hex').toString('base64url')), type: 'temporary' });
}

/** What may be licensed; throws the refusal. Only `allow: true` with status 200 allows: an error, or silence, allows nothing. */
async function askLatchkey(question) {
  let status, answer;
  try {
    const response = await fetch(new URL('/v1/licenses/verify', LATCHKEY_URL), {
      method: 'POST',
      headers: { authorization: `Bearer ${LATCHKEY_API_KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify(question),
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    status = response.status;
    answer = await response.json();
  } catch {
    throw new Refusal(503, 'unavailable');
  }
  if (status === 200 && answer?.allow === true && Array.isArray(answer.kids)) return answer;
  if (status === 200 && answer?.allow === false) throw new Refusal(403, answer.code);
  // What the player sent has not the form of a token, a device id or kids.
  if (status === 400) throw new Refusal(400, 'invalid-request');
  throw new Refusal(503, 'unavailable');
}

async function askUpstream(request, body, kids) {
  try {
    const response = await fetch(UPSTREAM_URL, {
      method: 'POST',
      // The licence must be for these kids and no others: where yours does not go by this header, tell it in its own way.
      headers: { 'content-type': headerOf(request, 'content-type') ?? 'application/octet-stream', 'x-latchkey-kids': kids.join(',') },
      body,
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return { status: response.status, type: response.headers.get('content-type') ?? 'application/octet-stream', body: Buffer.from(await response.arrayBuffer()) };
  } catch {
    throw new Refusal(502, 'upstream-unavailable');
  }
}

async function answer(request) {
  if (request.method !== 'POST') throw new Refusal(405, 'method-not-allowed');
  const token = /^Bearer +(\S+)$/i.exec(headerOf(request, 'authorization') ?? '')?.[1];
  const deviceId = deviceIdOf(request);
  if (token === undefined || deviceId === undefined) throw new Refusal(401, 'unauthenticated');
  const body = await bodyOf(request);
  const { kids } = await askLatchkey({ token, deviceId, drm: DRM, kids: kidsOf(body) });
  // A registration token: the device is bound now, and there is nothing to license.
  return kids.length === 0 ? { status: 204 } : askUpstream(request, requestFor(kids, body), kids);
}

function refusalOf(error) {
  const { status, code } = error instanceof Refusal ? error : new Refusal(503, 'unavailable');
  return { status, code, type: 'application/json', body: JSON.stringify({ code }) };
}

const server = createServer({ requestTimeout: 15_000 }, async (request, response) => {
  const { status, code = 'passed', type, body } = await answer(request).catch(refusalOf);
  const headers = { 'cache-control': 'no-store', ...(type && { 'content-type': type }), ...(status === 503 && { 'retry-after': '1' }) };
  // What was not read of a body that is too large is not waited for.
  response.writeHead(status, status === 413 ? { ...headers, connection: 'close' } : headers).end(body);
  // Never the headers or the address: tokens stand there.
  console.log(JSON.stringify({ at: new Date().toISOString(), status, code }));
});
server.listen(Number(PORT), HOST, () => console.log(`asks ${new URL(LATCHKEY_URL).origin}, on http://${HOST}:${server.address().port}`));
process.once('SIGTERM', () => server.close());
