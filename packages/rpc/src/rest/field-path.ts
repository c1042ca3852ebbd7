import { create, type DescField, type DescMessage, type Message } from '@bufbuild/protobuf'

type Fields = Record<string, unknown>

/** The fields that `book.book_id` names, from the outermost; each but the last is a single message. */
export function fieldPath(desc: DescMessage, path: string): readonly DescField[] | undefined {
  const fields: DescField[] = []
  let inside: DescMessage | undefined = desc
  for (const name of path.split('.')) {
    const field: DescField | undefined = inside?.fields.find((f) => f.name === name || f.jsonName === name)
    if (!field) return undefined
    fields.push(field)
    inside = field.fieldKind === 'message' ? field.message : undefined
  }
  return fields
}

/** The message that holds the last field of a path, made with all above it where it is not there. */
export function holderOf(message: Message, path: readonly DescField[]): Message {
  let holder = message
  for (let at = 0; at < path.length - 1; at++) {
    const field = path[at] as DescField
    let inner = getField(holder, field) as Message | undefined
    if (inner === undefined) {
      inner = create(field.message as DescMessage)
      setField(holder, field, inner)
    }
    holder = inner
  }
  return holder
}

/** The value of a field, undefined when it is another of its oneof or not there. */
export function getField(message: Message, field: DescField): unknown {
  if (!field.oneof) return (message as unknown as Fields)[field.localName]
  const choice = (message as unknown as Fields)[field.oneof.localName] as { case?: string; value?: unknown }
  return choice.case === field.localName ? choice.value : undefined
}

/** Sets a field, as the one of its oneof if it is in one. */
export function setField(message: Message, field: DescField, value: unknown): void {
  const fields = message as unknown as Fields
  if (field.oneof) fields[field.oneof.localName] = { case: field.localName, value }
  else fields[field.localName] = value
}
