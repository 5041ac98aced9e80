/** What the demo writes: each step with its real request and answer. */
export class Narrator {
  private steps = 0;

  constructor(private readonly write: (text: string) => void) {}

  /** Begins a step of the story. */
  step(title: string): void {
    this.steps += 1;
    this.write(`\n${this.steps}. ${title}\n`);
  }

  /** A line of explanation. */
  say(text: string): void {
    this.write(`   ${text}\n`);
  }

  /** One request and its answer. */
  exchange(method: string, url: string, body: unknown, status: number, answer: unknown): void {
    this.write(`   > ${method} ${url}${body === undefined ? '' : ` ${shorten(body)}`}\n`);
    this.write(`   < ${status} ${shorten(answer)}\n`);
  }
}

/** JSON on one line, with long values cut: a token alone would fill the screen. */
function shorten(value: unknown): string {
  const json = JSON.stringify(value, (_name, inner: unknown) =>
    typeof inner === 'string' && inner.length > 90 ? `${inner.slice(0, 24)}… (${inner.length} characters)` : inner,
  );
  return json ?? '';
}
