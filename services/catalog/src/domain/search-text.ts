/**
 * The words of a text as the index has them: runs of letters and digits, in lower case and without accents. Texts and
 * questions go through the same folding, so that "AMÉLIE" finds "Amélie" on every engine.
 */
export function wordsOf(text: string): readonly string[] {
  const folded = text
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase()
  return folded.match(/[\p{L}\p{N}]+/gu) ?? []
}
