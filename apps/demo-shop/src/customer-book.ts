import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';

const ticket = z.object({
  purchaseId: z.string(),
  contentId: z.string(),
  kind: z.enum(['buy', 'rent']),
  boughtAt: z.string(),
  playDurationSeconds: z.number().optional(),
});
const customer = z.object({ accountId: z.string(), cookies: z.array(z.string()), tickets: z.array(ticket) });
const book = z.array(z.tuple([z.string(), customer]));

/** What the shop remembers of a purchase; where it stands, Latchkey knows. */
export type Ticket = z.infer<typeof ticket>;

/** A customer: one browser. `cookies` are Latchkey's, the current one last. */
export interface Customer {
  readonly accountId: string;
  readonly cookies: string[];
  readonly tickets: Ticket[];
}

/** Whoever reaches the page becomes a customer, so that there is an end to it: the one that came first is forgotten. */
const CUSTOMERS_MAX = 500;
/** How long a browser keeps its session, in seconds. */
const SESSION_SECONDS = 30 * 24 * 3600;
const NAME = 'latchkey_demo';

/**
 * The shop's customers, in a file of its own: it is no service of Latchkey, and has to remember across restarts what it
 * sold. Sessions are kept as their SHA-256, so that the file lets nobody in.
 */
export class CustomerBook {
  private writing = Promise.resolve();

  private constructor(
    private readonly file: string,
    private readonly customers: Map<string, Customer>,
  ) {}

  /** Opens the book. One that cannot be read is an error: to begin anew would lose what was sold. */
  static async open(file: string): Promise<CustomerBook> {
    const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '[]';
      throw error;
    });
    return new CustomerBook(file, new Map(book.parse(JSON.parse(text))));
  }

  /** The customer whose session stands in a `Cookie` header. */
  async find(cookieHeader: string | undefined): Promise<Customer | undefined> {
    const session = new RegExp(`(?:^|;\\s*)${NAME}=([A-Za-z0-9_-]{43})(?:;|$)`).exec(cookieHeader ?? '')?.[1];
    return session === undefined ? undefined : this.customers.get(await sha256(session));
  }

  /** A new customer, and the `Set-Cookie` header that makes a browser it: read by no script, sent from no other site. */
  async welcome(): Promise<{ readonly customer: Customer; readonly setCookie: string }> {
    const session = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64url');
    const fresh: Customer = { accountId: `viewer-${crypto.randomUUID()}`, cookies: [], tickets: [] };
    if (this.customers.size >= CUSTOMERS_MAX) this.customers.delete(this.customers.keys().next().value!);
    this.customers.set(await sha256(session), fresh);
    await this.save();
    return { customer: fresh, setCookie: `${NAME}=${session}; Path=/demo; Max-Age=${SESSION_SECONDS}; HttpOnly; SameSite=Strict` };
  }

  /** Writes what has changed, whole or not at all. */
  save(): Promise<void> {
    const text = JSON.stringify([...this.customers]);
    const write = async (): Promise<void> => {
      await mkdir(dirname(this.file), { recursive: true, mode: 0o700 });
      await writeFile(`${this.file}.new`, text, { mode: 0o600 });
      await rename(`${this.file}.new`, this.file);
    };
    // One after the other; a write that failed is its caller's, and the next one has everything again.
    const done = this.writing.then(write);
    this.writing = done.catch(() => undefined);
    return done;
  }
}

async function sha256(text: string): Promise<string> {
  return Buffer.from(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))).toString('hex');
}
