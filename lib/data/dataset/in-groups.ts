/** Files that are open at the same time. */
const GROUP = 32

/** The results for all items, in their order; some at a time, so that few files are open. */
export async function inGroups<T, R>(items: readonly T[], get: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  for (let k = 0; k < items.length; k += GROUP) {
    results.push(...(await Promise.all(items.slice(k, k + GROUP).map(get))))
  }
  return results
}
