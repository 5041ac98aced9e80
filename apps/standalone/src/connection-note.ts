import { readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** How the operator's commands reach a standalone that runs. Its URLs hold passwords: the file is the owner's alone. */
export interface ConnectionNote {
  readonly origin: string;
  readonly gatewayDatabaseUrl: string;
  readonly tokenIssuerDatabaseUrl: string;
  readonly busDatabaseUrl: string;
}

const fileIn = (dataDir: string): string => join(dataDir, 'connection.json');

/** Leaves the note in the data directory. */
export async function leaveNote(dataDir: string, note: ConnectionNote): Promise<void> {
  await removeNote(dataDir);
  await writeFile(fileIn(dataDir), `${JSON.stringify(note, null, 2)}\n`, { mode: 0o600 });
}

/** Takes the note away, when what it names stops. */
export async function removeNote(dataDir: string): Promise<void> {
  await rm(fileIn(dataDir), { force: true });
}

/** The note of the standalone that runs on the data directory. Throws an Error that says what to do where none does. */
export function connectionNote(environment: Readonly<Record<string, string | undefined>>): ConnectionNote & { readonly dataDir: string } {
  const dataDir = environment['LATCHKEY_DATA_DIR'] || '.latchkey';
  try {
    return { ...(JSON.parse(readFileSync(fileIn(dataDir), 'utf8')) as ConnectionNote), dataDir };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new Error(`nothing runs on ${dataDir}. Start it first, in another terminal: npm start`, { cause: error });
  }
}
