// A merchant's code for ExpressPlay, against Latchkey: a device is bound and gets content, with nothing but Node and the
// reference's own endpoints:
//
//   LATCHKEY_URL=https://latchkey.example CUSTOMER_AUTHENTICATOR=<keyId>,<hex> [DRM=pr|wv] node examples/expressplay-merchant.mjs
//
// `npm run admin -- keys create` prints the authenticator of a key. It does all seven steps, plays the vendor's licence server
// and two players as well, and fails where one of them is not as it must be. DRM=wv needs LATCHKEY_EXPRESSPLAY_BINDING to
// name wv. COOKIE, KID and CONTENT_KEY are made up unless they are given.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';

const { LATCHKEY_URL, CUSTOMER_AUTHENTICATOR, VENDOR_AUTHENTICATOR = CUSTOMER_AUTHENTICATOR, DRM = 'pr' } = process.env;
if (!LATCHKEY_URL || !CUSTOMER_AUTHENTICATOR || !['pr', 'wv'].includes(DRM)) {
  console.error('usage: LATCHKEY_URL=… CUSTOMER_AUTHENTICATOR=<keyId>,<hex> [DRM=pr|wv] node examples/expressplay-merchant.mjs');
  process.exit(64);
}
const hex = () => randomBytes(16).toString('hex');
const { COOKIE = hex(), KID = hex(), CONTENT_KEY = hex() } = process.env;

function insist(condition, words) {
  if (!condition) throw new Error(words);
}

/** What a DRM wants to hear of each licence, whoever gets it. */
const licence = DRM === 'pr' ? { rightsType: 'BuyToOwn', analogVideoOPL: 0, uncompressedDigitalVideoOPL: 0 } : { securityLevel: 1, hdcpOutputControl: 0 };

async function call(path, parameters, { method = 'GET', headers = {} } = {}) {
  const query = new URLSearchParams({ errorFormat: 'json', ...parameters });
  const form = method === 'POST';
  const response = await fetch(new URL(form ? path : `${path}?${query}`, LATCHKEY_URL), { method, headers, ...(form && { body: query }), redirect: 'error' });
  const text = await response.text();
  if (response.ok) return text;
  // Codes and their meaning are for people; what was sent is for nobody else.
  const { errorCode, errorMessage } = JSON.parse(text);
  throw Object.assign(new Error(`${path}: ${response.status}, ${errorCode} (${errorMessage})`), { errorCode });
}

/** A token request. Where PlayReady answers with JSON, the others answer with the URL at which the token is redeemed. */
async function tokenFor(parameters, headers) {
  const answer = await call(`/hms/${DRM}/token`, { customerAuthenticator: CUSTOMER_AUTHENTICATOR, kid: KID, contentKey: CONTENT_KEY, ...licence, ...parameters }, { headers });
  return DRM === 'pr' ? JSON.parse(answer).token : new URL(answer).searchParams.get('ExpressPlayToken');
}

/**
 * The vendor's licence server, in three lines of what it does: it takes the device id out of the DRM's own request, asks
 * whether this device may have a licence with this token, and gives one where it may.
 */
const vendor = createServer(async (request, response) => {
  const { expressplaytoken, 'x-id-that-the-drm-has': deviceId } = request.headers;
  try {
    const granted = await call(`/hms/${DRM}/rights/`, { customerAuthenticator: VENDOR_AUTHENTICATOR, deviceId }, { method: 'POST', headers: { ExpressPlayToken: expressplaytoken } });
    response.writeHead(200, { 'content-type': 'application/json' }).end(granted);
  } catch (error) {
    response.writeHead(403, { 'content-type': 'application/json' }).end(JSON.stringify({ code: error.errorCode ?? 0 }));
  }
});
await once(vendor.listen(0, '127.0.0.1'), 'listening');

/** A player on a device. */
async function play(deviceId, token) {
  const response = await fetch(`http://127.0.0.1:${vendor.address().port}/licence`, { method: 'POST', headers: { ExpressPlayToken: token, 'x-id-that-the-drm-has': deviceId } });
  return { status: response.status, ...(await response.json()) };
}

try {
  const [device, thief] = [hex(), hex()];
  console.log('1. a cookie, which the merchant makes up');

  const dummy = await tokenFor({ cookie: COOKIE });
  const again = await tokenFor({}, { 'X-Latchkey-Cookie': COOKIE });
  insist(dummy && again, 'a dummy token is missing');
  console.log('2. the dummy token, with the cookie as a query string and as a header');

  const registered = await play(device, dummy);
  insist(registered.status === 200 && registered.kids.length === 0, `the registration was answered ${registered.status} ${registered.code}`);
  insist((await play(thief, again)).status === 403, 'a second device registered with the same cookie');
  console.log('3. its redemption, which binds the device and no other');

  const { records } = JSON.parse(await call('/cmiapi/getrecord/', { customerAuthenticator: CUSTOMER_AUTHENTICATOR, cookie: COOKIE }));
  const deviceId = records[0]?.device_id;
  insist(records.length === 1 && deviceId === device, 'the record is not that of the device');
  console.log('4. the record, which says which device it is');

  const token = await tokenFor({ cookie: COOKIE, deviceId });
  insist(token === (await tokenFor({ cookie: COOKIE, deviceId })), 'the same sale has two tokens');
  console.log('5. the token for content, bound to that device');

  const played = await play(device, token);
  insist(played.status === 200 && played.kids.join() === KID, `the device was answered ${played.status} ${played.code}`);
  console.log('6. its redemption on the device');

  const refused = await play(thief, token);
  insist(refused.status === 403 && refused.code === -5005, `another device was answered ${refused.status} ${refused.code}`);
  console.log('7. its refusal on another');
  console.log(JSON.stringify({ deviceId, tokenId: played.tokenId }));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  vendor.close();
}
