import { readFileSync, writeFileSync } from 'node:fs'
import ts from 'typescript-api'

/** What the counters of a program are called, in it and on `globalThis`. */
export const COUNTERS = 'branchCounters'

const { factory } = ts

/**
 * A JavaScript module that counts how often each of its functions, branches and loops begins: counter `i` of a Uint8Array, from 255 on again from 0.
 *
 * @returns the module's text, and how many counters it has
 */
export function counted(text: string): { text: string; counters: number } {
  let counters = 0
  const count = () =>
    factory.createPostfixIncrement(
      factory.createElementAccessExpression(factory.createIdentifier(COUNTERS), counters++),
    )
  const statement = () => factory.createExpressionStatement(count())
  const before = (expression: ts.Expression) =>
    factory.createParenthesizedExpression(factory.createComma(count(), expression))
  const block = (body: ts.Statement): ts.Block =>
    factory.createBlock([statement(), ...(ts.isBlock(body) ? body.statements : [body])], true)
  const body = (whole: ts.ConciseBody) => (ts.isBlock(whole) ? block(whole) : before(whole))

  const transformer: ts.TransformerFactory<ts.SourceFile> = (context) => {
    const visit = (given: ts.Node): ts.Node => {
      const node = ts.visitEachChild(given, visit, context)
      if (ts.isArrowFunction(node)) {
        const { modifiers, typeParameters, parameters, type, equalsGreaterThanToken: arrow } = node
        return factory.updateArrowFunction(
          node,
          modifiers,
          typeParameters,
          parameters,
          type,
          arrow,
          body(node.body),
        )
      }
      if (ts.isFunctionDeclaration(node) || ts.isFunctionExpression(node) || ts.isMethodDeclaration(node)) {
        return node.body === undefined ? node : withBody(node, block(node.body))
      }
      if (ts.isIfStatement(node)) {
        const otherwise = factory.createBlock([statement()])
        const { expression, thenStatement, elseStatement } = node
        return factory.updateIfStatement(
          node,
          expression,
          block(thenStatement),
          elseStatement === undefined ? otherwise : block(elseStatement),
        )
      }
      if (ts.isConditionalExpression(node)) {
        const { condition, questionToken, whenTrue, colonToken, whenFalse } = node
        return factory.updateConditionalExpression(
          node,
          condition,
          questionToken,
          before(whenTrue),
          colonToken,
          before(whenFalse),
        )
      }
      if (ts.isBinaryExpression(node) && LOGICAL.includes(node.operatorToken.kind)) {
        return factory.updateBinaryExpression(node, node.left, node.operatorToken, before(node.right))
      }
      if (ts.isWhileStatement(node))
        return factory.updateWhileStatement(node, node.expression, block(node.statement))
      if (ts.isForStatement(node)) {
        const { initializer, condition, incrementor, statement: loop } = node
        return factory.updateForStatement(node, initializer, condition, incrementor, block(loop))
      }
      if (ts.isForOfStatement(node)) {
        const { awaitModifier, initializer, expression, statement: loop } = node
        return factory.updateForOfStatement(node, awaitModifier, initializer, expression, block(loop))
      }
      if (ts.isCaseClause(node))
        return factory.updateCaseClause(node, node.expression, [statement(), ...node.statements])
      if (ts.isCatchClause(node))
        return factory.updateCatchClause(node, node.variableDeclaration, block(node.block))
      return node
    }
    return (file) => ts.visitNode(file, visit, ts.isSourceFile)
  }
  const file = ts.createSourceFile('program.mjs', text, ts.ScriptTarget.ESNext, true, ts.ScriptKind.JS)
  const printed = ts.createPrinter().printFile(ts.transform(file, [transformer]).transformed[0]!)
  return {
    text: `const ${COUNTERS} = (globalThis.${COUNTERS} = new Uint8Array(${Math.ceil(counters / 4) * 4}));\n${printed}`,
    counters,
  }
}

const LOGICAL: readonly ts.SyntaxKind[] = [
  ts.SyntaxKind.AmpersandAmpersandToken,
  ts.SyntaxKind.BarBarToken,
  ts.SyntaxKind.QuestionQuestionToken,
]

function withBody(
  node: ts.FunctionDeclaration | ts.FunctionExpression | ts.MethodDeclaration,
  body: ts.Block,
): ts.Node {
  const { modifiers, asteriskToken, name, typeParameters, parameters, type } = node
  if (ts.isFunctionDeclaration(node)) {
    return factory.updateFunctionDeclaration(
      ...([node, modifiers, asteriskToken, node.name, typeParameters, parameters, type, body] as const),
    )
  }
  if (ts.isFunctionExpression(node)) {
    return factory.updateFunctionExpression(
      ...([node, node.modifiers, asteriskToken, node.name, typeParameters, parameters, type, body] as const),
    )
  }
  return factory.updateMethodDeclaration(
    ...([
      node,
      modifiers,
      asteriskToken,
      name as ts.PropertyName,
      node.questionToken,
      typeParameters,
      parameters,
      type,
      body,
    ] as const),
  )
}

/** The program of a file, with counters, in a file beside it. */
export function countedProgram(path: string): string {
  const made = path.replace(/\.mjs$/, '-counted.mjs')
  writeFileSync(made, counted(readFileSync(path, 'utf8')).text)
  return made
}
