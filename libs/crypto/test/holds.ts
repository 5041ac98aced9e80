import fc from 'fast-check';

/** The same cases in every run; `FC_SEED` tries others. A failure names its seed. */
const SEED = Number(process.env['FC_SEED'] ?? 20_261_123);

/** Asserts a property, with as many cases as its cost allows. */
export function holds<Case>(property: fc.IProperty<Case>, numRuns: number): void {
  fc.assert(property, { seed: SEED, numRuns });
}

/** As `holds`, for a property that waits for its second reading. */
export async function holdsLater<Case>(property: fc.IAsyncProperty<Case>, numRuns: number): Promise<void> {
  await fc.assert(property, { seed: SEED, numRuns });
}

/** Characters at which readers of texts part ways: of both base64 alphabets, JSON, headers, and beyond ASCII. */
const TELLING = [...'AQgwz019+/-_=. ,:;"\\{}[]\t\n\0', '\u007f', '\u00e9', '\ufeff', '\ud800', '\u{1f600}', '\u2028'];

type Edit = readonly [kind: 'flip' | 'insert' | 'delete' | 'double' | 'cut', at: number, character: string];

const anEdit: fc.Arbitrary<Edit> = fc.tuple(
  fc.constantFrom('flip', 'insert', 'delete', 'double', 'cut'),
  fc.nat(),
  fc.oneof(fc.constantFrom(...TELLING), fc.string({ minLength: 1, maxLength: 1 })),
);

function edited(text: string, [kind, place, character]: Edit): string {
  const at = place % (text.length + 1);
  const [before, after] = [text.slice(0, at), text.slice(at)];
  switch (kind) {
    case 'flip':
      return before + character + after.slice(1);
    case 'insert':
      return before + character + after;
    case 'delete':
      return before + after.slice(1);
    case 'double':
      return text.slice(0, at + 8) + after;
    case 'cut':
      return before;
  }
}

/** The text after one to three small changes. Now and then they undo each other. */
export function mutationsOf(text: string): fc.Arbitrary<string> {
  return fc.array(anEdit, { minLength: 1, maxLength: 3 }).map((edits) => edits.reduce(edited, text));
}
