import { createDevice, DeviceError, indexedDbStore } from '@latchkey/device-sdk';
import { byId } from './element.js';
import { Cinema } from './cinema.js';
import { tell } from './screen.js';
import { ShopRefusal } from './shop-client.js';

/** A browser that begins again has another key under another name: the old one stays, revoked, where it was. */
const KEY_NAME = 'halfmoon.key-name';

function keyName(): string {
  return localStorage.getItem(KEY_NAME) ?? 'latchkey-device';
}

try {
  const device = await createDevice({ store: indexedDbStore(keyName()) });
  const cinema = new Cinema(device, () => {
    localStorage.setItem(KEY_NAME, `latchkey-device-${crypto.randomUUID()}`);
    location.reload();
  });
  await cinema.open();
  byId('usher').dataset['ready'] = 'yes';
} catch (error) {
  const noKey = error instanceof DeviceError && error.code === 'no-web-crypto';
  if (noKey) tell('This browser makes no keys on this address: open the page at http://127.0.0.1 or over https.', 'bad');
  else if (error instanceof ShopRefusal) tell(error.message, 'bad');
  else tell('The cinema could not open: this browser may keep no keys in a private window. Try an ordinary one, or reload.', 'bad');
}
