/** The known name that looks most like the unknown one, if any is near enough to have been meant. */
export function suggest(unknown: string, known: readonly string[]): string | undefined {
  const allowed = Math.max(1, Math.floor(unknown.length / 3))
  let best: { readonly name: string; readonly distance: number } | undefined
  for (const name of known) {
    // Nobody means a name of a wholly different length, and the distance costs the product of both.
    if (Math.abs(name.length - unknown.length) > allowed) continue
    const distance = editDistance(unknown.toLowerCase(), name.toLowerCase())
    if (distance <= allowed && distance < (best?.distance ?? Infinity)) best = { name, distance }
  }
  return best?.name
}

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment) from one text to the other. */
export function editDistance(from: string, to: string): number {
  let before: number[] = []
  let last = Array.from({ length: to.length + 1 }, (_, at) => at)
  for (let row = 1; row <= from.length; row++) {
    const current = [row]
    for (let at = 1; at <= to.length; at++) {
      const cost = from[row - 1] === to[at - 1] ? 0 : 1
      let least = Math.min((last[at] ?? 0) + 1, (current[at - 1] ?? 0) + 1, (last[at - 1] ?? 0) + cost)
      if (row > 1 && at > 1 && from[row - 1] === to[at - 2] && from[row - 2] === to[at - 1]) {
        least = Math.min(least, (before[at - 2] ?? 0) + 1)
      }
      current.push(least)
    }
    before = last
    last = current
  }
  return last[to.length] ?? 0
}
