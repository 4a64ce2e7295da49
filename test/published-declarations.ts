import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript-api'

/** Something that a user of the package can point at in an editor. */
export interface Hover {
  /** Where it is declared: `SparseAutoencoderOptions`, `KlSparsity.target`, `new Pca`. */
  readonly name: string
  /** The text that an editor shows besides the type; for inherited or implemented members without a text, that of the original. */
  readonly text: string
  /** An option: it may be left out, or be undefined. */
  readonly optional: boolean
}

const root = fileURLToPath(new URL('..', import.meta.url))

/** Writes into an empty folder the declarations that the package is published with; returns the one of its entry. */
export function writeDeclarations(folder: string): string {
  const compiler = join(
    dirname(createRequire(import.meta.url).resolve('typescript/package.json')),
    'bin',
    'tsc',
  )
  const given = ['-p', 'tsconfig.build.json', '--emitDeclarationOnly', '--outDir', folder]
  execFileSync(process.execPath, [compiler, ...given], { cwd: root })
  return join(folder, 'index.d.ts')
}

const options: ts.CompilerOptions = {
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  target: ts.ScriptTarget.ES2022,
  strict: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: true,
  noEmit: true,
  typeRoots: [join(root, 'node_modules', '@types')],
  types: ['node'],
}

/** Node's and the language's declarations are read once. */
const host = ts.createCompilerHost(options)
const read = host.getSourceFile
const known = new Map<string, ts.SourceFile | undefined>()
host.getSourceFile = (name, ...rest) => {
  if (!name.includes('node_modules')) return read(name, ...rest)
  if (!known.has(name)) known.set(name, read(name, ...rest))
  return known.get(name)
}

/** The compiler's messages for each text, as a module beside the declarations. */
export function errorsOf(folder: string, texts: readonly string[]): string[][] {
  const files = texts.map((text, i) => {
    const file = join(folder, `module${i}.ts`)
    writeFileSync(file, text)
    return file
  })
  const program = ts.createProgram(files, options, host)
  return files.map((file) => {
    const source = program.getSourceFile(file)!
    const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]
    return found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))
  })
}

/** What the compiler says about the declarations where the types of Node are not installed, or not chosen, and none of it is skipped. */
export function errorsWithoutNode(entry: string): string[] {
  const lib = ['lib.es2023.d.ts', 'lib.dom.d.ts']
  const program = ts.createProgram([entry], { ...options, types: [], lib, skipLibCheck: false })
  return ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))
}

/**
 * What the entry exports and, from there on, every type of the same folder that a declaration names, each with its public members, those
 * of nested object types too.
 */
export function hovers(entry: string): Hover[] {
  const program = ts.createProgram([entry], options, host)
  return new Walk(program.getTypeChecker(), dirname(entry) + sep).from(program.getSourceFile(entry)!)
}

class Walk {
  readonly #checker: ts.TypeChecker
  readonly #folder: string
  readonly #seen = new Set<ts.Symbol>()
  readonly #found = new Map<string, Hover>()

  constructor(checker: ts.TypeChecker, folder: string) {
    this.#checker = checker
    this.#folder = folder
  }

  from(entry: ts.SourceFile): Hover[] {
    const module = this.#checker.getSymbolAtLocation(entry)!
    for (const symbol of this.#checker.getExportsOfModule(module)) this.#reach(symbol)
    return [...this.#found.values()]
  }

  #reach(named: ts.Symbol): void {
    const symbol = named.flags & ts.SymbolFlags.Alias ? this.#checker.getAliasedSymbol(named) : named
    const own = symbol.declarations?.filter((declaration) =>
      declaration.getSourceFile().fileName.startsWith(this.#folder),
    )
    if (this.#seen.has(symbol) || own === undefined || own.length === 0) return
    this.#seen.add(symbol)
    if (own.every(ts.isTypeParameterDeclaration)) return
    for (const declaration of own) {
      this.#add(symbol.name, this.#documented(declaration, symbol), false)
      this.#into(declaration, symbol.name)
    }
  }

  /** Members and named types anywhere in a declaration. */
  #into(node: ts.Node, owner: string): void {
    ts.forEachChild(node, (child) => {
      if (ts.isConstructorDeclaration(child)) this.#construction(child, owner)
      else if (ts.isClassElement(child) || ts.isTypeElement(child)) this.#member(child, owner)
      else {
        if (ts.isIdentifier(child)) this.#identifier(child)
        this.#into(child, owner)
      }
    })
  }

  #identifier(identifier: ts.Identifier): void {
    const symbol = this.#checker.getSymbolAtLocation(identifier)
    if (symbol && symbol.flags & (ts.SymbolFlags.Type | ts.SymbolFlags.Alias | ts.SymbolFlags.Class))
      this.#reach(symbol)
  }

  #construction(declaration: ts.ConstructorDeclaration, owner: string): void {
    if (isHidden(declaration)) return
    const signature = this.#checker.getSignatureFromDeclaration(declaration)!
    this.#add(`new ${owner}`, signature, false)
    this.#into(declaration, owner)
  }

  #member(declaration: ts.ClassElement | ts.TypeElement, owner: string): void {
    if (isHidden(declaration) || declaration.name === undefined) return
    const symbol = this.#checker.getSymbolAtLocation(declaration.name)!
    const name = `${owner}.${declaration.name.getText()}`
    this.#add(name, this.#documented(declaration, symbol), isOption(declaration))
    this.#into(declaration, name)
  }

  /** Of what has several signatures, each is shown by itself. */
  #documented(declaration: ts.Declaration, symbol: ts.Symbol): ts.Symbol | ts.Signature {
    const overloaded =
      symbol.declarations!.length > 1 && ts.isFunctionLike(declaration) && !ts.isAccessor(declaration)
    return overloaded ? this.#checker.getSignatureFromDeclaration(declaration)! : symbol
  }

  #add(name: string, documented: ts.Symbol | ts.Signature, optional: boolean): void {
    const text = ts.displayPartsToString(documented.getDocumentationComment(this.#checker))
    const before = this.#found.get(name)
    // Members of the same name in several types of a union: none may be without.
    this.#found.set(name, { name, text: before?.text.trim() === '' ? '' : text, optional })
  }
}

/** Results have members that may be absent, but none that may be undefined. */
function isOption(declaration: ts.Declaration): boolean {
  if (!ts.isPropertySignature(declaration) || declaration.questionToken === undefined) return false
  const { type } = declaration
  return (
    type !== undefined &&
    ts.isUnionTypeNode(type) &&
    type.types.some(({ kind }) => kind === ts.SyntaxKind.UndefinedKeyword)
  )
}

/** Not for users of the class: `private`, `protected` and `#names`. */
function isHidden(declaration: ts.Declaration): boolean {
  const flags = ts.getCombinedModifierFlags(declaration)
  const name = ts.getNameOfDeclaration(declaration)
  return (
    (flags & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected)) !== 0 ||
    (name !== undefined && ts.isPrivateIdentifier(name))
  )
}
