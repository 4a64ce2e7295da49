/**
 * JSON.parse for files that may be hostile: refuses deep nesting, a name that stands twice in one object (of which JSON.parse
 * would silently keep the last), and the name `__proto__`.
 *
 * @param depth - how many brackets may be open at once
 * @throws {@link SyntaxError} saying what is wrong
 */
export function parseStrictJson(text: string, depth: number): unknown {
  const names = countNames(text, depth)
  const value: unknown = JSON.parse(text)
  if (countKeys(value) !== names) throw new SyntaxError('a name stands twice in one object')
  return value
}

/** In valid JSON there is one colon outside strings for each name. */
function countNames(text: string, depth: number): number {
  let names = 0
  let open = 0
  let inString = false
  for (let i = 0; i < text.length; i++) {
    const character = text[i]
    if (inString) {
      if (character === '\\') i++
      else if (character === '"') inString = false
    } else if (character === '"') inString = true
    else if (character === ':') names++
    else if (character === '}' || character === ']') open--
    else if ((character === '{' || character === '[') && ++open > depth) {
      throw new SyntaxError(`it is nested more than ${depth} deep`)
    }
  }
  return names
}

function countKeys(value: unknown): number {
  if (value === null || typeof value !== 'object') return 0
  if (Array.isArray(value)) return value.reduce((total: number, entry) => total + countKeys(entry), 0)
  let total = 0
  for (const [name, entry] of Object.entries(value)) {
    if (name === '__proto__') throw new SyntaxError('a name is __proto__')
    total += 1 + countKeys(entry)
  }
  return total
}
