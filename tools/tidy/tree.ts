import { type Code, codeOf } from './code.ts'
import { type Module, parseModule } from './module.ts'
import { type Token, tokenize } from './tokenizer.ts'

/** One file of the repository. What costs time to know is found when first asked for. */
export interface SourceFile {
  readonly path: string
  readonly text: string
  readonly tokens: readonly Token[]
  readonly code: Code
  readonly module: Module
  readonly workspace: Workspace | undefined
  /** Whether it only serves tests: a test, a fixture, or in a folder of them. */
  readonly isTest: boolean
}

/** A package, service, app or the tools: what has a package.json of its own. */
export interface Workspace {
  /** `packages/base` */
  readonly folder: string
  /** `base` */
  readonly short: string
  readonly kind: 'package' | 'service' | 'app' | 'tools'
  readonly name: string
  readonly exports: ReadonlyMap<string, string>
  readonly imports: ReadonlyMap<string, string>
  readonly dependencies: ReadonlySet<string>
  readonly devDependencies: ReadonlySet<string>
}

/** The repository as the rules see it. */
export interface Tree {
  readonly files: ReadonlyMap<string, SourceFile>
  /** TypeScript that people write: no generated code, no fixtures. */
  readonly sources: readonly SourceFile[]
  readonly workspaces: readonly Workspace[]
  /** Whether a file or folder is there, tracked or not. */
  has(path: string): boolean
}

/** Something that breaks a rule. */
export interface Finding {
  readonly path: string
  readonly line: number
  /** What is wrong and what to do instead. */
  readonly message: string
}

/** One rule of the house. */
export interface Rule {
  readonly name: string
  check(tree: Tree): Iterable<Finding>
}

const kinds = { packages: 'package', services: 'service', apps: 'app', tools: 'tools' } as const

/** Makes a tree of paths (with `/`) and texts. */
export function createTree(texts: ReadonlyMap<string, string>): Tree {
  const workspaces = [...texts.keys()].flatMap((path) => readWorkspace(path, texts.get(path) ?? '') ?? [])
  const files = new Map<string, SourceFile>()
  const folders = new Set<string>()
  for (const [path, text] of texts) {
    const workspace = workspaces.find(({ folder }) => path.startsWith(`${folder}/`))
    files.set(path, createFile(path, text, workspace))
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) folders.add(path.slice(0, end))
  }
  const sources = [...files.values()].filter(({ path }) => path.endsWith('.ts') && !isExempt(path))
  return { files, sources, workspaces, has: (path) => files.has(path) || folders.has(path.replace(/\/$/, '')) }
}

function isExempt(path: string): boolean {
  return /(^|\/)(gen|fixtures)\//.test(path)
}

const testPath = /\.(test|fixture|suite)\.ts$|(^|\/)(test|tests|fixtures)\//

function createFile(path: string, text: string, workspace: Workspace | undefined): SourceFile {
  let tokens: readonly Token[] | undefined
  let code: Code | undefined
  let module: Module | undefined
  return {
    path,
    text,
    workspace,
    isTest: testPath.test(path),
    get tokens() {
      tokens ??= tokenize(text)
      return tokens
    },
    get code() {
      code ??= codeOf(this.tokens)
      return code
    },
    get module() {
      module ??= parseModule(this.tokens)
      return module
    },
  }
}

function readWorkspace(path: string, text: string): Workspace | undefined {
  const match = /^(packages|services|apps)\/[^/]+\/package\.json$|^(tools)\/package\.json$/.exec(path)
  if (!match) return undefined
  const manifest = JSON.parse(text) as Record<string, unknown>
  const folder = path.slice(0, -'/package.json'.length)
  const kind = kinds[(match[1] ?? match[2]) as keyof typeof kinds]
  const record = (field: string) => Object.entries((manifest[field] ?? {}) as Record<string, unknown>)
  const target = (value: unknown) => (typeof value === 'string' ? value : String(Object.values(value as object)[0]))
  return {
    folder,
    kind,
    short: folder.slice(folder.lastIndexOf('/') + 1),
    name: String(manifest.name),
    exports: new Map(record('exports').map(([key, value]) => [key, target(value)])),
    imports: new Map(record('imports').map(([key, value]) => [key, target(value)])),
    dependencies: new Set([...record('dependencies'), ...record('optionalDependencies')].map(([key]) => key)),
    devDependencies: new Set(record('devDependencies').map(([key]) => key)),
  }
}
