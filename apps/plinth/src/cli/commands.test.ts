import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Command } from 'commander'
import type { CommandContext } from './command-context.ts'
import { commands } from './commands.ts'
import { createProgram, everyCommand } from './program.ts'
import { createTerminal } from './terminal.ts'

const context: CommandContext = {
  environment: {},
  stdin: process.stdin,
  signal: new AbortController().signal,
  terminal: (options) => createTerminal({ stdout: process.stdout, stderr: process.stderr, environment: {} }, options),
  exit: () => {},
}

const all = () => createProgram(context, new Set(commands.map(({ name }) => name)))

/** Commands that do something, by their whole name. */
function leaves(command: Command, path: readonly string[] = []): readonly (readonly [string, Command])[] {
  if (command.commands.length === 0) return [[path.join(' '), command]]
  return command.commands.flatMap((each) => leaves(each, [...path, each.name()]))
}

describe('command line', () => {
  it('the list of commands tells the same as the commands themselves', async () => {
    const program = await all()
    for (const { name, description } of commands) {
      assert.equal(program.commands.find((each) => each.name() === name)?.description(), description, name)
    }
    assert.equal(new Set(program.commands.map((each) => each.name())).size, program.commands.length)
  })

  it('every command, argument and option says what it is for', async () => {
    const program = await all()
    for (const [name, command] of leaves(program)) {
      assert.notEqual(command.description(), '', name)
      for (const option of command.options) assert.notEqual(option.description, '', `${name} ${option.flags}`)
      for (const argument of command.registeredArguments) assert.notEqual(argument.description, '', name)
    }
  })

  it('no command has an option that is also one of all commands', async () => {
    const program = await all()
    const globals = new Set(program.options.flatMap(({ short, long }) => [short, long]))
    for (const command of everyCommand(program).filter((each) => each !== program)) {
      for (const { short, long } of command.options) {
        assert.ok(!(short && globals.has(short)) && !(long && globals.has(long)), `${command.name()} ${long}`)
      }
    }
  })

  it('no command takes a password as a flag', async () => {
    for (const [name, command] of leaves(await all())) {
      const flags = command.options.filter(
        (option) => (option.required || option.optional) && /pass/.test(option.flags),
      )
      assert.deepEqual(flags, [], name)
    }
  })
})
