import { errorKinds } from '@plinth/base'
import type { Command } from 'commander'
import type { CommandContext } from './command-context.ts'
import { type Finding, runChecks } from './doctor-checks.ts'
import { addHostOptions, type HostOptions } from './load-host.ts'
import type { Terminal } from './terminal.ts'

/** `plinth doctor`. */
export function addDoctorCommand(program: Command, context: CommandContext): void {
  addHostOptions(program.command('doctor').description('check whether a shop can run here, and say what to do'))
    .addHelpText('after', '\nThe exit code is 0 when nothing failed, and 16 otherwise; warnings are no failures.')
    .action(async (options: HostOptions, command: Command) => {
      const terminal = context.terminal(command.optsWithGlobals())
      const findings: Finding[] = []
      for await (const finding of runChecks(options, context)) {
        findings.push(finding)
        if (!terminal.json) for (const line of findingLines(finding, terminal)) terminal.item(finding, () => line)
      }
      const isFit = findings.every(({ outcome }) => outcome !== 'fail')
      if (terminal.json) terminal.answer({ fit: isFit, findings }, () => [])
      if (!isFit) context.exit(errorKinds.precondition.exit)
    })
}

function findingLines({ name, outcome, detail, next }: Finding, { style }: Terminal): readonly string[] {
  const paint = { ok: style.green, warn: style.yellow, fail: style.red }[outcome]
  const line = `${paint(outcome.padEnd(4))}  ${name.padEnd(14)} ${detail}`
  return next === undefined ? [line] : [line, `      ${' '.repeat(14)} ${style.dim(`→ ${next}`)}`]
}
