import { readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import ts from 'typescript';

/** A statement as the source has it. */
export interface FoundStatement {
  /** `file:line`, from the root of the repository. */
  readonly place: string;
  readonly sql: string;
}

/** What the source does not say by itself. */
export interface Unresolved {
  readonly place: string;
  /** The expression whose value is not a constant. */
  readonly expression: string;
}

/**
 * Values of expressions that are not constants, by `file#expression`, the file without its folder: one statement is made for each
 * value.
 */
export type GivenValues = Readonly<Record<string, readonly string[]>>;

/** Everything that was found in some files. */
export interface Findings {
  readonly statements: readonly FoundStatement[];
  readonly unresolved: readonly Unresolved[];
}

/** Methods that run SQL: of `Tx` and `Reader`, of TypeORM, and of pg. */
const RUNNING = new Set(['rows', 'query']);

/**
 * Finds every SQL text that is given to a method that runs it, with constants put in, also those of other files. It reads the
 * source and not what some test happened to run, so that no statement escapes; what it cannot resolve it says.
 */
export function findStatements(root: string, files: readonly string[], given: GivenValues): Findings {
  const finder = new StatementFinder(root, given);
  for (const file of files) finder.read(join(root, file));
  return finder;
}

class StatementFinder implements Findings {
  readonly statements: FoundStatement[] = [];
  readonly unresolved: Unresolved[] = [];
  private readonly sources = new Map<string, ts.SourceFile>();
  private place = '';

  constructor(
    private readonly root: string,
    private readonly given: GivenValues,
  ) {}

  read(file: string): void {
    const source = this.sourceOf(file);
    const visit = (node: ts.Node): void => {
      if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression) && RUNNING.has(node.expression.name.text)) {
        const [argument] = node.arguments;
        const { line } = source.getLineAndCharacterOfPosition(node.getStart());
        this.place = `${relative(this.root, file)}:${line + 1}`;
        if (argument) this.note(this.textOf(argument, source));
      }
      ts.forEachChild(node, visit);
    };
    visit(source);
  }

  private note(texts: readonly string[]): void {
    for (const sql of texts) this.statements.push({ place: this.place, sql: sql.trim() });
  }

  /** Every value that an expression may have. */
  private textOf(node: ts.Expression, source: ts.SourceFile): readonly string[] {
    const text = node.getText(source);
    const known = this.given[`${basename(source.fileName)}#${text}`];
    if (known) return known;
    if (ts.isStringLiteralLike(node) || ts.isNumericLiteral(node)) return [node.text];
    if (ts.isTemplateExpression(node)) {
      let values: readonly string[] = [node.head.text];
      for (const { expression, literal } of node.templateSpans) {
        const holes = this.textOf(expression, source);
        values = values.flatMap((value) => holes.map((hole) => value + hole + literal.text));
      }
      return values;
    }
    if (ts.isConditionalExpression(node)) return [...this.textOf(node.whenTrue, source), ...this.textOf(node.whenFalse, source)];
    if (ts.isParenthesizedExpression(node) || ts.isAsExpression(node)) return this.textOf(node.expression, source);
    if (ts.isObjectLiteralExpression(node)) {
      const member = node.properties.find((one) => one.name?.getText(source) === 'text');
      if (member && ts.isPropertyAssignment(member)) return this.textOf(member.initializer, source);
    }
    if (ts.isIdentifier(node)) {
      const declared = this.declarationOf(node.text, source);
      if (declared) return this.textOf(declared.value, declared.source);
    }
    // The type of an event, in a statement that inserts it.
    if (ts.isPropertyAccessExpression(node) && node.name.text === 'type') return ['type'];
    this.unresolved.push({ place: this.place, expression: text });
    return [];
  }

  /** The value of a constant of this name, of the file or of one that it imports. */
  private declarationOf(name: string, source: ts.SourceFile): { value: ts.Expression; source: ts.SourceFile } | undefined {
    let found: ts.Expression | undefined;
    const visit = (node: ts.Node): void => {
      if (ts.isVariableDeclaration(node) && node.name.getText(source) === name && node.initializer) found ??= node.initializer;
      ts.forEachChild(node, visit);
    };
    visit(source);
    if (found) return { value: found, source };
    for (const statement of source.statements) {
      if (!ts.isImportDeclaration(statement) || !ts.isStringLiteral(statement.moduleSpecifier)) continue;
      const specifier = statement.moduleSpecifier.text;
      if (!specifier.startsWith('.') || !statement.importClause?.getText(source).includes(name)) continue;
      return this.declarationOf(name, this.sourceOf(join(dirname(source.fileName), specifier.replace(/\.js$/, '.ts'))));
    }
    return undefined;
  }

  private sourceOf(file: string): ts.SourceFile {
    const source = this.sources.get(file) ?? ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
    this.sources.set(file, source);
    return source;
  }
}
