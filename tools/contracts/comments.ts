/**
 * Takes the comments out of `.proto` files: generated code keeps them as TypeScript comments only, and the API
 * reference needs them at run time.
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..', '..')
const outputBytesMax = 256 * 1024 * 1024

interface Named {
  readonly name: string
}
interface EnumProto extends Named {
  readonly value?: readonly Named[]
}
interface MessageProto extends Named {
  readonly field?: readonly Named[]
  readonly nestedType?: readonly MessageProto[]
  readonly enumType?: readonly EnumProto[]
}
interface FileProto extends Named {
  readonly package: string
  readonly messageType?: readonly MessageProto[]
  readonly enumType?: readonly EnumProto[]
  readonly service?: readonly (Named & { readonly method?: readonly Named[] })[]
  readonly sourceCodeInfo?: { readonly location?: readonly Location[] }
  readonly bufExtension?: { readonly isImport?: boolean }
}
interface Location {
  readonly path?: readonly number[]
  readonly leadingComments?: string
  readonly trailingComments?: string
}

/**
 * The comments of a contract's own files, by full name: `plinth.catalog.v1.Stock.held`. A field or value has the
 * comment above it, or else the one behind it; lines are joined as in Markdown.
 */
export function readComments(contract: string): Record<string, string> {
  const run = spawnSync('buf', ['build', contract, '-o', '-#format=json'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: outputBytesMax,
  })
  if (run.error) throw run.error
  if (run.status !== 0) throw new Error(`Cannot build ${contract}: buf ended with ${run.status}`)
  const image = JSON.parse(run.stdout.toString()) as { file: readonly FileProto[] }
  const comments: [string, string][] = []
  for (const file of image.file) {
    if (file.bufExtension?.isImport) continue
    const names = namesByPath(file)
    for (const { path = [], leadingComments, trailingComments } of file.sourceCodeInfo?.location ?? []) {
      const name = names.get(path.join('.'))
      const text = (leadingComments ?? trailingComments ?? '').split('\n').map((line) => line.trim())
      if (name !== undefined && text.join('') !== '') comments.push([name, text.join('\n').trim()])
    }
  }
  return Object.fromEntries(comments.sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Full names by the path that source locations use: numbers of fields in descriptor.proto, and indexes. */
function namesByPath(file: FileProto): Map<string, string> {
  const names = new Map<string, string>()
  const addEnum = (item: EnumProto, path: string, scope: string) => {
    names.set(path, `${scope}.${item.name}`)
    item.value?.forEach((value, at) => {
      names.set(`${path}.2.${at}`, `${scope}.${item.name}.${value.name}`)
    })
  }
  const addMessage = (item: MessageProto, path: string, scope: string) => {
    const name = `${scope}.${item.name}`
    names.set(path, name)
    item.field?.forEach((field, at) => {
      names.set(`${path}.2.${at}`, `${name}.${field.name}`)
    })
    item.nestedType?.forEach((nested, at) => {
      addMessage(nested, `${path}.3.${at}`, name)
    })
    item.enumType?.forEach((nested, at) => {
      addEnum(nested, `${path}.4.${at}`, name)
    })
  }
  file.messageType?.forEach((item, at) => {
    addMessage(item, `4.${at}`, file.package)
  })
  file.enumType?.forEach((item, at) => {
    addEnum(item, `5.${at}`, file.package)
  })
  file.service?.forEach((item, at) => {
    names.set(`6.${at}`, `${file.package}.${item.name}`)
    item.method?.forEach((method, m) => {
      names.set(`6.${at}.2.${m}`, `${file.package}.${item.name}.${method.name}`)
    })
  })
  return names
}
