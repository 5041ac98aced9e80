// A device for the command line: it holds a key, and does with the SDK what a player does.
//
//   npm run --silent device -- <file> id                          its id; the key is made, and kept in the file, where there is none
//   npm run --silent device -- <file> register <registration token>
//   npm run --silent device -- <file> tokens <any of its tokens>
//   npm run --silent device -- <file> license <content token> <kid …>
//
// It answers in JSON. A refusal is JSON on standard error, and exit code 1.
import { createDevice } from '@latchkey/device-sdk';
import { fileStore } from '@latchkey/device-sdk/node';

const commands = {
  id: async () => undefined,
  register: (device, token) => device.register(token),
  tokens: (device, token) => device.tokens(token),
  license: (device, token, ...kids) => device.license(token, { kids }),
};
const [file, name, ...args] = process.argv.slice(2);
if (!file || !Object.hasOwn(commands, name ?? '') || (name !== 'id' && args.length === 0)) {
  console.error('usage: npm run device -- <file> id | register <token> | tokens <token> | license <token> <kid …>');
  process.exit(64);
}
try {
  const device = await createDevice({ store: fileStore(file) });
  const answer = await commands[name](device, ...args);
  console.log(JSON.stringify(answer ?? { deviceId: device.id }));
} catch (error) {
  const { code, action, status, message } = error;
  console.error(JSON.stringify({ code, action, status, message }));
  process.exitCode = 1;
}
