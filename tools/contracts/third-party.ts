/**
 * Lays the public `.proto` files that our contracts import into one folder for buf to read.
 *
 * They come from packages that are installed anyway, so that none of them is kept in this repository: Google's
 * files as text from `google-proto-files`, and `buf/validate/validate.proto` printed back from the descriptor in
 * `@bufbuild/protovalidate`, which ships no text.
 */
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import {
  type DescriptorProto,
  type EnumDescriptorProto,
  type FieldDescriptorProto,
  type FileDescriptorProto,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
} from '@bufbuild/protobuf/wkt'
import { file_buf_validate_validate } from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js'

const root = join(import.meta.dirname, '..', '..')
export const thirdPartyFolder = join(root, 'node_modules', '.cache', 'plinth-contracts')

const googleFiles = [
  'google/api/annotations.proto',
  'google/api/http.proto',
  'google/api/httpbody.proto',
  'google/api/field_behavior.proto',
  'google/rpc/status.proto',
  'google/rpc/code.proto',
  'google/rpc/error_details.proto',
]

export function layThirdPartyContracts(): void {
  rmSync(thirdPartyFolder, { recursive: true, force: true })
  for (const file of googleFiles) {
    const to = join(thirdPartyFolder, file)
    mkdirSync(dirname(to), { recursive: true })
    copyFileSync(join(root, 'node_modules', 'google-proto-files', file), to)
  }
  const validate = join(thirdPartyFolder, 'buf/validate/validate.proto')
  mkdirSync(dirname(validate), { recursive: true })
  writeFileSync(validate, printFile(file_buf_validate_validate.proto))
}

/** Prints what a compiler needs of a proto2 file: custom options and comments are left out. */
export function printFile(file: FileDescriptorProto): string {
  const lines = ['syntax = "proto2";', `package ${file.package};`]
  for (const dependency of file.dependency) lines.push(`import "${dependency}";`)
  for (const item of file.enumType) printEnum(item, '', lines)
  for (const item of file.messageType) printMessage(item, '', lines)
  for (const extension of file.extension) {
    lines.push(`extend ${extension.extendee} {`, `  ${printField(extension, false)}`, '}')
  }
  return `${lines.join('\n')}\n`
}

function printMessage(message: DescriptorProto, indent: string, lines: string[]): void {
  lines.push(`${indent}message ${message.name} {`)
  const inner = `${indent}  `
  for (const item of message.enumType) printEnum(item, inner, lines)
  for (const item of message.nestedType) printMessage(item, inner, lines)
  for (const range of message.extensionRange) {
    const last = range.end >= 536870912 ? 'max' : String(range.end - 1)
    lines.push(`${inner}extensions ${range.start} to ${last};`)
  }
  for (const range of message.reservedRange) lines.push(`${inner}reserved ${range.start} to ${range.end - 1};`)
  for (const name of message.reservedName) lines.push(`${inner}reserved "${name}";`)
  for (const field of message.field.filter((f) => !isInOneof(f))) lines.push(inner + printField(field, false))
  message.oneofDecl.forEach((oneof, index) => {
    const members = message.field.filter((f) => isInOneof(f) && f.oneofIndex === index)
    if (members.length === 0) return
    lines.push(`${inner}oneof ${oneof.name} {`)
    for (const field of members) lines.push(`${inner}  ${printField(field, true)}`)
    lines.push(`${inner}}`)
  })
  lines.push(`${indent}}`)
}

function printEnum(item: EnumDescriptorProto, indent: string, lines: string[]): void {
  lines.push(`${indent}enum ${item.name} {`)
  for (const value of item.value) lines.push(`${indent}  ${value.name} = ${value.number};`)
  lines.push(`${indent}}`)
}

function isInOneof(field: FieldDescriptorProto): boolean {
  return Object.hasOwn(field, 'oneofIndex')
}

function printField(field: FieldDescriptorProto, bare: boolean): string {
  const label = bare ? '' : `${(Label[field.label] ?? 'OPTIONAL').toLowerCase()} `
  const type = field.typeName === '' ? (Type[field.type] ?? '').toLowerCase() : field.typeName
  return `${label}${type} ${field.name} = ${field.number};`
}

if (import.meta.main) layThirdPartyContracts()
