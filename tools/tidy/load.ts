import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createTree, type Tree } from './tree.ts'

const listMax = 64 * 1024 * 1024
/** Larger files are data; no rule reads them. */
const fileBytesMax = 2 * 1024 * 1024

/** Reads every file that git tracks or would track. */
export function loadTree(root: string): Tree {
  const list = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: listMax,
  })
  const texts = new Map<string, string>()
  for (const path of new Set(list.split('\0'))) {
    // A file that was removed but not committed is still listed.
    if (path === '' || !existsSync(join(root, path))) continue
    const bytes = readFileSync(join(root, path))
    texts.set(path, bytes.length > fileBytesMax ? '' : bytes.toString('utf8'))
  }
  return createTree(texts)
}
