import { Narrator } from './narrator.js';
import { Story } from './story.js';
import { type DemoTarget, findTarget } from './target.js';

/** `npm run demo`: plays the story against the running system, and ends with 1 when it does not go as it should. */
const write = (text: string): void => void process.stdout.write(text);

function targetOrExit(): DemoTarget {
  try {
    return findTarget(process.argv.slice(2), process.env);
  } catch (error) {
    process.stderr.write(`demo: ${(error as Error).message}\n`);
    process.exit(69);
  }
}

try {
  await new Story(targetOrExit(), new Narrator(write)).play();
  write('\nThat is all: bought on one device, plays on that device alone.\n');
} catch (error) {
  process.stderr.write(`\ndemo: it did not go as it should: ${(error as Error).message}\n`);
  process.exitCode = 1;
}
