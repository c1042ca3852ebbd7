import type { Finding, Rule, SourceFile } from '../tree.ts'

interface Ban {
  /** Tokens in a row. A word stands for itself; `NAME` for any name. */
  readonly tokens: string
  readonly instead: string
  /** Paths where it belongs. */
  readonly allowed?: RegExp
  /** Tests of real things (files, sockets, processes) deal with real time. */
  readonly inRealTests?: true
}

const cli = /^(apps|tools|bench|examples)\/|^tests\//
const base = /^packages\/base\/src\/|^(tools|bench|examples)\//
// Contract suites in testing/ run against real engines too.
const timeOwners = /^packages\/base\/src\/|^(tools|bench|examples)\/|\/src\/testing\//

/** What may not be written, and what to write instead. */
const bans: readonly Ban[] = [
  { tokens: 'Date . now', instead: 'take a clock: clock.nowMs()', allowed: timeOwners, inRealTests: true },
  { tokens: 'new Date ( )', instead: 'take a clock: new Date(clock.nowMs())', allowed: timeOwners, inRealTests: true },
  { tokens: 'performance . now', instead: 'take a clock: clock.monotonicMs()', allowed: timeOwners, inRealTests: true },
  { tokens: 'Math . random', instead: 'take a Random', allowed: base },
  { tokens: 'crypto . randomUUID', instead: 'take Ids: ids.next()', allowed: base, inRealTests: true },
  { tokens: 'randomUUID (', instead: 'take Ids: ids.next()', allowed: base, inRealTests: true },
  { tokens: 'randomUUIDv7 (', instead: 'take Ids: ids.next()', allowed: base, inRealTests: true },
  {
    tokens: 'setTimeout (',
    instead: 'take a clock: clock.setTimer() or sleep()',
    allowed: timeOwners,
    inRealTests: true,
  },
  {
    tokens: 'setInterval (',
    instead: 'take a clock: clock.setTimer() again and again',
    allowed: timeOwners,
    inRealTests: true,
  },
  {
    tokens: 'AbortSignal . timeout',
    instead: 'withScope({ timeoutMs }), which runs on the clock',
    inRealTests: true,
    allowed: timeOwners,
  },
  {
    tokens: 'process . env',
    instead: 'a config section; only the kernel and the apps read the environment',
    allowed: /^packages\/kernel\/src\/config\/|^(apps|tools|bench|tests)\//,
    inRealTests: true,
  },
  {
    tokens: 'process . exit (',
    instead: 'process.exitCode, and let what is open close',
    allowed: cli,
    inRealTests: true,
  },
  {
    tokens: 'console .',
    instead: 'a Logger in services, an announcement in packages',
    allowed: cli,
    inRealTests: true,
  },
  { tokens: 'export *', instead: 'a list of names' },
  { tokens: 'export default', instead: 'a named export', allowed: /^tools\/test\/reporter\.ts$|\.config\.ts$/ },
  { tokens: 'enum NAME {', instead: 'const X = { … } as const with a type of the same name' },
  { tokens: 'namespace NAME {', instead: 'a module' },
  { tokens: 'Object . assign ( this', instead: 'one assignment for each field' },
  { tokens: 'it . only', instead: 'run one file: npm test -- path' },
  { tokens: 'test . only', instead: 'run one file: npm test -- path' },
  { tokens: 'describe . only', instead: 'run one file: npm test -- path' },
  { tokens: '@ts-ignore', instead: 'a type that says what is so' },
]

const modules: ReadonlyMap<string, string> = new Map([
  ['node:timers', 'a clock'],
  ['node:timers/promises', 'sleep(clock, ms) from @plinth/base'],
  ['assert', 'node:assert/strict'],
  ['node:assert', 'node:assert/strict'],
])

/** Words that Biome does not know to be banned here. */
export const banListRule: Rule = {
  name: 'ban list',
  *check(tree) {
    for (const file of tree.sources) {
      yield* checkModules(file)
      yield* checkTokens(file)
    }
  },
}

function* checkModules(file: SourceFile): Iterable<Finding> {
  for (const { specifier, line } of file.module.imports) {
    const instead = modules.get(specifier)
    if (instead === undefined || (specifier.startsWith('node:timers') && isExempt(file, timeOwners, true))) continue
    yield { path: file.path, line, message: `${specifier} is banned; use ${instead}` }
  }
}

function isExempt(file: SourceFile, allowed: RegExp | undefined, inRealTests: boolean): boolean {
  const isReal = /\.int\.test\.ts$|^tests\/|\/test\//.test(file.path)
  return allowed?.test(file.path) === true || (inRealTests && isReal)
}

function* checkTokens(file: SourceFile): Iterable<Finding> {
  const { tokens } = file.code
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at]
    if (token === undefined) continue
    const before = tokens[at - 1]?.text
    for (const { words, ban } of bansByFirst.get(token.text) ?? []) {
      // `clock.setTimeout(` is somebody's method and `setTimeout:` somebody's field.
      if (before === '.' || before === '?.' || before === 'function') continue
      const isMatch = words.every((word, index) => matches(word, tokens[at + index]))
      if (!isMatch || isExempt(file, ban.allowed, ban.inRealTests === true)) continue
      const message = `${words.join(' ').replaceAll(/ ?([.(*]) ?/g, '$1')} is banned; use ${ban.instead}`
      yield { path: file.path, line: token.line, message }
    }
    if (isAccessModifier(file, at)) {
      const message = `"${token.text}" is banned; use #name for what is private, and nothing for what is public`
      yield { path: file.path, line: token.line, message }
    }
  }
}

const bansByFirst = new Map<string, { readonly words: readonly string[]; readonly ban: Ban }[]>()
for (const ban of bans) {
  const words = ban.tokens.split(' ')
  bansByFirst.getOrInsertComputed(words[0] ?? '', () => []).push({ words, ban })
}

function matches(word: string, token: { readonly kind: string; readonly text: string } | undefined): boolean {
  return word === 'NAME' ? token?.kind === 'name' : token?.text === word && token.kind !== 'string'
}

/** `private constructor` stays: a constructor cannot be called #constructor, and a class made by `open()` needs it. */
function isAccessModifier({ code }: SourceFile, at: number): boolean {
  const token = code.tokens[at]
  if (token?.kind !== 'name' || !['private', 'public', 'protected'].includes(token.text)) return false
  const next = code.tokens[at + 1]
  const isFirst = code.tokens[at - 1]?.line !== token.line || ['(', ','].includes(code.tokens[at - 1]?.text ?? '')
  return isFirst && next?.kind === 'name' && next.line === token.line && next.text !== 'constructor'
}
