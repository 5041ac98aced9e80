// What the browser suite has a page do: be a device, and play a film with the README's own lines. Each function that the
// suite calls is a property of `page`.
import { createDevice, indexedDbStore } from '@latchkey/device-sdk';
import { PLAYERS } from '/players.mjs';

const video = document.querySelector('video');
let device;

/** The device of this browser, and whether its key could be taken away: asked of the database itself, not of the library. */
async function open() {
  device = await createDevice({ store: indexedDbStore() });
  const stored = await storedKey();
  const taken = await crypto.subtle.exportKey('jwk', stored.privateKey).then(() => true, () => false);
  return { id: device.id, extractable: stored.privateKey.extractable, taken };
}

function storedKey() {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open('latchkey-device');
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const reading = opening.result.transaction('keys').objectStore('keys').get('device');
      reading.onerror = () => reject(reading.error);
      reading.onsuccess = () => resolve(reading.result);
    };
  });
}

/** How far a film came: the time alone proves nothing, because a refused player's creeps on. */
function progress() {
  return { seconds: video.currentTime, frames: video.getVideoPlaybackQuality().totalVideoFrames };
}

/** Plays until more than a second of decoded pictures was seen, or the player says that it was refused. */
async function play(name, film) {
  let refused;
  const onRefused = (what) => (refused ??= what);
  await PLAYERS[name]({ device, video, ...film }, onRefused);
  video.play().catch(() => undefined);
  while (refused === undefined && !(progress().seconds > 1 && progress().frames > 0)) await new Promise((resolve) => setTimeout(resolve, 50));
  return { refused, ...progress() };
}

const failures = (call) => call.then(() => 'done', ({ code, action, status }) => ({ code, action, status }));

globalThis.page = {
  open,
  play,
  register: (token) => failures(device.register(token)),
  tokens: (token) => device.tokens(token),
  license: (token, kids) => device.license(token, { kids }),
};
