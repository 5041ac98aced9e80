// Shortens the waits of the retry ladder, so that what takes hours in operation ends within a run. The queues' names
// stay, and all replicas agree, or the broker would refuse to declare them.
const { retryLadder } = await import('@latchkey/messaging');

const DELAYS_MS = [500, 1_500, 4_000, 8_000];
for (const [index, rung] of retryLadder.entries()) rung.delayMs = DELAYS_MS[index];
