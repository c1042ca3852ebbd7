// Up to this length a loop over the characters beats a call into the engine's own quoting.
const shortMax = 40

/** Quotes a string for JSON. Lone surrogates become U+FFFD, as they would on their way through UTF-8. */
export function quote(value: string): string {
  if (value.length > shortMax) return JSON.stringify(value.isWellFormed() ? value : value.toWellFormed())
  for (let at = 0; at < value.length; at++) {
    const code = value.charCodeAt(at)
    if (code < 0x20 || code === 0x22 || code === 0x5c || (code >= 0xd800 && code <= 0xdfff)) {
      return JSON.stringify(value.toWellFormed())
    }
  }
  return `"${value}"`
}
