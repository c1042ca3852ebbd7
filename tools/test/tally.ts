import type { CheckResult } from '../check/checks.ts'
import type { FileResult } from './run-file.ts'

/** Counts what ran, prints progress, and closes with one line. */
export interface Tally {
  /** Takes what a check found. */
  check(name: string, result: CheckResult, tookMs: number): void
  file(result: FileResult): void
  /** Prints the skipped, the failed and the last line. Answers the exit code. */
  close(): 0 | 1
}

/** Makes a tally that prints through `print`. */
export function createTally(print: (line: string) => void): Tally {
  let passed = 0
  const failed: { readonly where: string; readonly what: string }[] = []
  const skipped: { readonly where: string; readonly reason: string }[] = []
  return {
    check(name, result, tookMs) {
      const word = result === undefined ? 'ok  ' : 'problem' in result ? 'FAIL' : 'skip'
      print(`  ${word} ${name} (${seconds(tookMs)})`)
      if (result === undefined) passed++
      else if ('problem' in result) failed.push({ where: name, what: result.problem })
      else skipped.push({ where: name, reason: result.skipped })
    },
    file({ file, failures, skips, tookMs, ...counts }) {
      passed += counts.passed
      const named = failures.filter((failure) => failure.name !== '')
      const parts = [`${counts.passed} passed`]
      if (named.length > 0) parts.push(`${named.length} failed`)
      if (skips.length > 0) parts.push(`${skips.length} skipped`)
      print(`  ${named.length === 0 ? 'ok  ' : 'FAIL'} ${file}: ${parts.join(', ')} (${seconds(tookMs)})`)
      for (const { name, error } of failures) failed.push({ where: name === '' ? '' : `${file}: ${name}`, what: error })
      for (const { name, reason } of skips) skipped.push({ where: `${file}: ${name}`, reason })
    },
    close() {
      if (skipped.length > 0) print('\nskipped')
      for (const { where, reason } of skipped) print(`  ${where}\n    because: ${reason}`)
      if (failed.length > 0) print('\nfailed')
      for (const { where, what } of failed) print(`${where === '' ? '' : `\n  ${where}\n`}${indent(what)}`)
      const failures = failed.filter(({ where }) => where !== '').length
      print(`\n${passed} passed, ${failures} failed, ${skipped.length} skipped`)
      return failures === 0 && passed > 0 ? 0 : 1
    },
  }
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '    ')
}
