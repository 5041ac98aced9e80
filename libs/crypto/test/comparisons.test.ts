import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import ts from 'typescript';

const root = join(import.meta.dirname, '..', '..', '..');
const HOME = 'libs/crypto/src/constant-time-equal.ts';

/** What a name says that holds a secret, or something that only a holder of one can make. */
const SECRET = /secret|digest|hash|hmac|^mac$|macOf|plain|passw|apiKey|fullKey|bearer|contentKey|kek$|nonce/i;
const EQUALITY = new Set([
  ts.SyntaxKind.EqualsEqualsToken,
  ts.SyntaxKind.EqualsEqualsEqualsToken,
  ts.SyntaxKind.ExclamationEqualsToken,
  ts.SyntaxKind.ExclamationEqualsEqualsToken,
]);
const COMPARING = new Set(['equals', 'compare', 'localeCompare', 'timingSafeEqual']);

/** Comparisons that look like one of secrets and are none. */
const HARMLESS: Readonly<Record<string, string>> = {
  "claims['ath'] !== accessTokenHash(expected.accessToken)": 'the hash of a token that the same request carries',
  'Buffer.compare(bytes, ZERO)': 'a number of a signature, which is public',
  'Buffer.compare(bytes, P256_ORDER)': 'as above',
  'before !== digest': 'a checkout compares what it published with what it published before',
  'this.nonces.last !== nonceBefore': 'a device compares what it was told with what it was told before',
};

/** Every comparison in a source that could be one of secrets, as it is written. */
function comparisonsIn(source: string): string[] {
  const file = ts.createSourceFile('source.ts', source, ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isBinaryExpression(node) && EQUALITY.has(node.operatorToken.kind)) {
      const operands = [node.left, node.right];
      if (!operands.some(isConstant) && operands.some((operand) => SECRET.test(lastNameOf(operand)))) found.push(node.getText(file));
    }
    if (ts.isCallExpression(node) && COMPARING.has(lastNameOf(node.expression))) found.push(node.getText(file));
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

/** What stands in the source itself tells nobody a secret: `undefined`, a number, a text, a name in capitals. */
function isConstant(node: ts.Expression): boolean {
  return ts.isLiteralExpression(node) || ts.isTypeOfExpression(node) || node.kind === ts.SyntaxKind.NullKeyword || node.getText() === 'undefined' || /^[A-Z0-9_]+$/.test(node.getText());
}

/** Of `a.b.hash` and `hashOf(x)` the name that says what the value is. */
function lastNameOf(node: ts.Expression): string {
  if (ts.isCallExpression(node)) return lastNameOf(node.expression);
  if (ts.isNonNullExpression(node) || ts.isParenthesizedExpression(node) || ts.isAsExpression(node) || ts.isAwaitExpression(node)) return lastNameOf(node.expression);
  if (ts.isPropertyAccessExpression(node)) return node.name.text;
  if (ts.isElementAccessExpression(node)) return node.argumentExpression.getText();
  return ts.isIdentifier(node) ? node.text : '';
}

describe('comparisons of secrets', () => {
  const sources = globSync('{apps,libs}/*/src/**/*.ts', { cwd: root }).filter((file) => !file.endsWith('.spec.ts') && file !== HOME);

  it('all go through the one that takes the same time for every content', () => {
    expect(sources.length).toBeGreaterThan(100);
    const found = sources.flatMap((file) => comparisonsIn(readFileSync(join(root, file), 'utf8')).map((text) => ({ file, text })));
    expect(found.filter(({ text }) => !Object.hasOwn(HARMLESS, text))).toEqual([]);
    expect(Object.keys(HARMLESS).filter((text) => !found.some((each) => each.text === text))).toEqual([]);
  });

  it.each([
    ['presented === row.hash', true],
    ['hashOf(key) !== stored', true],
    ["given['nonce'] == wanted", true],
    ['plain.equals(key)', true],
    ['timingSafeEqual(a, b)', true],
    ['await this.secret() === given!', true],
    ['Buffer.compare(a, b) === 0', true],
    ['hash === undefined', false],
    ["typeof nonce === 'string'", false],
    ['hash.length !== 32', false],
    ['constantTimeEqual(hash, stored)', false],
    ['kid === other', false],
  ])('are seen: %s is one: %j', (source, isOne) => {
    expect(comparisonsIn(source).length > 0).toBe(isOne);
  });
});
