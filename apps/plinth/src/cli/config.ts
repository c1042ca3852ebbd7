import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { PlatformError } from '@plinth/base'
import { type ConfigEntry, configJsonSchema } from '@plinth/kernel'
import type { Command } from 'commander'
import { configDefinitions } from '../host/shop.ts'
import type { CommandContext } from './command-context.ts'
import { addHostOptions, defaultFile, type HostOptions, loadHostConfiguration } from './load-host.ts'
import type { Terminal } from './terminal.ts'

/** `plinth config`. */
export function addConfigCommand(program: Command, context: CommandContext): void {
  const config = program.command('config').description('explain and check the configuration')
  addHostOptions(
    config
      .command('explain')
      .description('show values, where they come from, and what they may be')
      .argument('[key]', 'section.field, or a section; all when none is named'),
  )
    .option('--changed', 'only what is not as by default')
    .action(async (key: string | undefined, options: HostOptions & { changed?: boolean }, command: Command) => {
      const terminal = context.terminal(command.optsWithGlobals())
      const all = (await loadHostConfiguration(options, context.environment)).explain()
      const named = key === undefined ? all : all.filter((each) => each.key === key || each.key.startsWith(`${key}.`))
      if (named.length === 0) throw unknownKey(key ?? '', all)
      const entries = options.changed ? named.filter(({ layer }) => layer !== 'default') : named
      const [only] = entries
      terminal.answer(entries, () =>
        entries.length === 1 && only !== undefined ? entryLines(only, terminal) : entryTable(entries, terminal),
      )
    })
  addHostOptions(config.command('check').description('tell whether the configuration is valid')).action(
    async (options: HostOptions, command: Command) => {
      const configuration = await loadHostConfiguration(options, context.environment)
      const changed = configuration.explain().filter(({ layer }) => layer !== 'default')
      context
        .terminal(command.optsWithGlobals())
        .answer({ valid: true, changed: changed.map(({ key }) => key) }, () => [
          `The configuration is valid; ${changed.length} values are not as by default.`,
        ])
    },
  )
  config
    .command('schema')
    .description('print the JSON Schema of a configuration file, for editors')
    .action((_, command: Command) => {
      const schema = configJsonSchema(configDefinitions)
      const { quiet } = command.optsWithGlobals<{ quiet?: boolean }>()
      context.terminal({ json: true, quiet }).answer(schema, () => [])
    })
  config
    .command('path')
    .description('print the file that is read when none is named')
    .action((_, command: Command) => {
      const path = resolve(defaultFile)
      const exists = existsSync(path)
      context.terminal(command.optsWithGlobals()).answer(
        { path, exists },
        () => [exists ? path : `${path} (not there; all is as by default)`],
        () => [path],
      )
    })
}

function entryTable(entries: readonly ConfigEntry[], terminal: Terminal): readonly string[] {
  if (entries.length === 0) return ['Everything is as by default.']
  return terminal.columns([
    ['KEY', 'VALUE', 'FROM', 'WHAT'],
    ...entries.map(({ key, value, origin, description }) => [key, value ?? '-', origin, description]),
  ])
}

function entryLines(entry: ConfigEntry, terminal: Terminal): readonly string[] {
  const { bold, dim } = terminal.style
  const facts: readonly (readonly [string, string])[] = [
    ['from', entry.origin],
    ['hides', entry.hides.join(', ')],
    ['default', entry.default ?? '-'],
    ['bounds', entry.bounds],
    ['variable', entry.variable],
    ['flag', `--set ${entry.key}=…`],
    ['applies', entry.restart ? 'after a restart' : 'at once, also while running'],
  ]
  return [
    `${bold(entry.key)} = ${entry.value ?? '-'}`,
    entry.description,
    ...facts.filter(([, value]) => value !== '').map(([name, value]) => `  ${dim(name.padEnd(8))} ${value}`),
  ]
}

function unknownKey(key: string, entries: readonly ConfigEntry[]): PlatformError {
  const sections = [...new Set(entries.map((each) => each.key.split('.')[0]))]
  const word = key.split('.').at(-1)?.toLowerCase() ?? ''
  const near = entries.filter((each) => each.key.toLowerCase().includes(word)).slice(0, 5)
  const hint =
    near.length > 0 ? `near are ${near.map((each) => each.key).join(', ')}` : `sections are ${sections.join(', ')}`
  return new PlatformError(`Cannot explain "${key}": there is no such key; ${hint}`, {
    kind: 'not_found',
    code: 'plinth.config_key_unknown',
  })
}
