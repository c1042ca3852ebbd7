import { Argument, type Command, type Option } from 'commander'
import type { CommandContext } from './command-context.ts'
import { completionScript, type WordTree } from './completion-script.ts'

const shells = ['bash', 'zsh', 'fish'] as const

/** `plinth completion`. */
export function addCompletionCommand(program: Command, context: CommandContext): void {
  program
    .command('completion')
    .description('print a completion script for bash, zsh or fish')
    .addArgument(new Argument('<shell>', 'whose').choices(shells))
    .addHelpText('after', help)
    .action((shell: (typeof shells)[number], _, command: Command) => {
      const script = completionScript(shell, treeOf(program))
      context.terminal(command.optsWithGlobals()).answer({ shell, script }, () => [script])
    })
}

const help = `
Add to ~/.bashrc:   source <(plinth completion bash)
Add to ~/.zshrc:    source <(plinth completion zsh)
For fish:           plinth completion fish > ~/.config/fish/completions/plinth.fish`

/** What can be typed, read off the commands themselves. */
function treeOf(command: Command): WordTree {
  const visible = command.createHelp().visibleCommands(command)
  const ownOptions = command.createHelp().visibleOptions(command)
  const globals = command.createHelp().visibleGlobalOptions(command)
  return {
    name: command.name(),
    description: command.description(),
    options: [...ownOptions, ...globals].map(wordsOf),
    choices: command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
    commands: visible.map(treeOf),
  }
}

function wordsOf(option: Option): WordTree['options'][number] {
  return {
    flags: [option.short, option.long].filter((flag) => flag !== undefined),
    description: option.description,
    takesValue: option.required || option.optional,
    choices: option.argChoices ?? [],
  }
}
