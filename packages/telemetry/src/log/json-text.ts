// Everything JSON.stringify leaves as it is and a terminal, an editor or a line reader may act upon: DEL and the C1
// controls (0x9b starts an escape sequence, 0x85 ends a line), the Unicode line ends, direction overrides (they show
// a line in another order than it has) and the byte order mark.
const hazard = /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/
const hazards = new RegExp(hazard, 'g')
const needsCare = /[^\x20\x21\x23-\x5b\x5d-\x7e]/

/** A JSON string that stays on its line and does nothing to whoever looks at it. */
export function quote(text: string): string {
  if (!needsCare.test(text)) return `"${text}"`
  const json = JSON.stringify(text)
  if (!hazard.test(json)) return json
  return json.replace(hazards, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
