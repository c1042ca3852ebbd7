import type { DescField, DescMessage } from '@bufbuild/protobuf'
import { hasCustomJsonRepresentation } from '@bufbuild/protobuf/wkt'
import type { RestRule } from './http-rules.ts'

/**
 * The paths of what a PATCH body holds, relative to the resource. A nested message that holds something is entered,
 * so that its other fields stay as they are; an empty one is replaced whole, and so are lists, maps and null. Fields
 * that the path gives and `etag` are no changes.
 */
export function maskOf(rule: RestRule, json: unknown, bound: readonly (readonly DescField[])[]): string[] {
  const body = rule.body.kind === 'field' ? rule.body.field : undefined
  if (!body?.message || !isObject(json)) return []
  const skipped = new Set(bound.filter((path) => path[0] === body).map((path) => namesOf(path.slice(1))))
  skipped.add('etag')
  const paths: string[] = []
  collect(body.message, json, '', paths)
  return paths.filter((path) => !skipped.has(path))
}

function collect(desc: DescMessage, json: Readonly<Record<string, unknown>>, prefix: string, paths: string[]): void {
  for (const [key, value] of Object.entries(json)) {
    const field = desc.fields.find((f) => f.jsonName === key || f.name === key)
    // The reader has refused unknown fields before.
    if (!field) continue
    const path = `${prefix}${field.name}`
    const inner =
      field.fieldKind === 'message' && !hasCustomJsonRepresentation(field.message) ? field.message : undefined
    if (inner && isObject(value) && Object.keys(value).length > 0) collect(inner, value, `${path}.`, paths)
    else paths.push(path)
  }
}

function isObject(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === 'object' && json !== null && !Array.isArray(json)
}

function namesOf(path: readonly DescField[]): string {
  return path.map((field) => field.name).join('.')
}
