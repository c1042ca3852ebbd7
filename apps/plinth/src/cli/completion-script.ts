/** What can be typed behind a command. */
export interface WordTree {
  readonly name: string
  readonly description: string
  readonly options: readonly OptionWords[]
  /** Of its arguments. */
  readonly choices: readonly string[]
  readonly commands: readonly WordTree[]
}

/** An option as a shell completes it. */
export interface OptionWords {
  readonly flags: readonly string[]
  readonly description: string
  readonly takesValue: boolean
  readonly choices: readonly string[]
}

/** A script that completes the words of `tree` without running the program. */
export function completionScript(shell: 'bash' | 'zsh' | 'fish', tree: WordTree): string {
  if (shell === 'fish') return fishScript(tree)
  // zsh runs bash completions through its own bridge.
  const bridge = 'autoload -Uz +X compinit bashcompinit\n(( $+functions[compdef] )) || compinit\nbashcompinit\n'
  return `${shell === 'zsh' ? bridge : ''}${bashScript(tree)}`
}

interface Place {
  readonly path: readonly string[]
  readonly tree: WordTree
}

function placesOf(tree: WordTree, path: readonly string[] = []): readonly Place[] {
  return [{ path, tree }, ...tree.commands.flatMap((each) => placesOf(each, [...path, each.name]))]
}

/**
 * The words typed so far choose a place among the commands; options that take a value swallow the word behind them.
 * Words of files come from the shell.
 */
function bashScript(root: WordTree): string {
  const places = placesOf(root)
  const words = places.map(({ path, tree }) => {
    const all = [
      ...tree.commands.map(({ name }) => name),
      ...tree.choices,
      ...tree.options.flatMap(({ flags }) => flags),
    ]
    return `    ${quote(path.join(' '))}) words=${quote(all.join(' '))} ;;`
  })
  const steps = places.flatMap(({ path, tree }) =>
    tree.commands.map(({ name }) => `      ${quote([...path, name].join(' '))}) place="$next" ;;`),
  )
  const valued = new Set<string>()
  const choices = places.flatMap(({ path, tree }) =>
    tree.options.flatMap((option) => {
      if (option.takesValue) for (const flag of option.flags) valued.add(flag)
      if (option.choices.length === 0) return []
      return option.flags.map(
        (flag) => `    ${quote(`${path.join(' ')} ${flag}`)}) values=${quote(option.choices.join(' '))} ;;`,
      )
    }),
  )
  return `_plinth() {
  local current="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" place='' next word words='' values='' skip=0 i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    if ((skip)); then skip=0; continue; fi
    case "$word" in
      ${[...valued].join('|')}) skip=1; continue ;;
      -*) continue ;;
    esac
    next="\${place:+$place }$word"
    case "$next" in
${steps.join('\n')}
    esac
  done
  case "$place $before" in
${choices.join('\n')}
  esac
  if [[ -n "$values" ]]; then
    COMPREPLY=($(compgen -W "$values" -- "$current"))
    return
  fi
  if ((skip)); then
    COMPREPLY=($(compgen -f -- "$current"))
    return
  fi
  case "$place" in
${words.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _plinth plinth`
}

function fishScript(root: WordTree): string {
  const places = placesOf(root)
  const names = [...new Set(places.flatMap(({ tree }) => tree.commands.map(({ name }) => name)))]
  const lines = places.flatMap(({ path, tree }) => {
    const at = `__plinth_at ${quote(path.join(' '))}`
    return [
      ...tree.commands.map(
        ({ name, description }) => `complete -c plinth -f -n ${quote(at)} -a ${quote(name)} -d ${quote(description)}`,
      ),
      ...tree.choices.map((choice) => `complete -c plinth -f -n ${quote(at)} -a ${quote(choice)}`),
      ...tree.options.map((option) => fishOption(option, at)),
    ]
  })
  return `function __plinth_at
  set -l place
  for word in (commandline -opc)[2..-1]
    contains -- $word ${names.map(quote).join(' ')}; and set -a place $word
  end
  test "$place" = "$argv[1]"
end
${lines.join('\n')}`
}

function fishOption({ flags, description, takesValue, choices }: OptionWords, at: string): string {
  const words = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`))
  const value = takesValue ? (choices.length > 0 ? ` -x -a ${quote(choices.join(' '))}` : ' -r') : ''
  return `complete -c plinth -n ${quote(at)} ${words.join(' ')}${value} -d ${quote(description)}`
}

/** A word that no shell reads anything into. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
