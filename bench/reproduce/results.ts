/** The text of docs/results.md before the first section. */
const PREFACE = `# Results

Published experiments, repeated by \`npm run reproduce -- NAME\`, which writes its section here, also if a goal is
missed. Settings were chosen on held-out training rows (\`--validate\`), never on the test rows, unless a section says so.
`

/**
 * A document with one section replaced or inserted.
 *
 * @param document - the document so far; if empty, a new one is begun
 * @param order - the names of all sections in their order
 * @param name - the section to write
 * @param section - its text, from its heading `## NAME` on
 */
export function withSection(
  document: string,
  order: readonly string[],
  name: string,
  section: string,
): string {
  const [preface, ...others] = (document === '' ? PREFACE : document).split(/^(?=## )/m)
  const sections = new Map(others.map((text) => [/^## (.*)/.exec(text)![1]!.trim(), text]))
  sections.set(name, section)
  const rank = (key: string) => (order.includes(key) ? order.indexOf(key) : order.length)
  const inOrder = [...sections.keys()].sort((a, b) => rank(a) - rank(b))
  return `${[preface!, ...inOrder.map((key) => sections.get(key)!)].map((text) => text.trim()).join('\n\n')}\n`
}
