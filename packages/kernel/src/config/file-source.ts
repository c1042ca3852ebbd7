import { type FSWatcher, watch } from 'node:fs'
import { open } from 'node:fs/promises'
import { basename, dirname, resolve } from 'node:path'
import type { Clock, Timer } from '@plinth/base'
import type { ConfigSource, RawDocument } from './entry.ts'
import { parseConfigFile } from './parse-file.ts'

/** Which file, and how long a change must be over. */
export interface FileSourceOptions {
  readonly path: string
  /** Whether a missing file is a problem or says nothing. @default true */
  readonly required?: boolean
  /** How long a file must be quiet after a change, 0 to 60000. @default 200 */
  readonly debounceMs?: number
}

const fileBytesMax = 1024 * 1024

/**
 * A configuration file of up to 1 MiB in YAML, JSON or TOML. Its folder is watched, not the file itself, because
 * editors and Kubernetes replace files; so a file that does not exist yet is noticed when it comes,
 * if its folder was there.
 *
 * @throws RangeError when `debounceMs` is out of its bounds.
 */
export function createFileSource(deps: { readonly clock: Clock }, options: FileSourceOptions): ConfigSource {
  const { required = true, debounceMs = 200 } = options
  if (!(debounceMs >= 0 && debounceMs <= 60_000)) {
    throw new RangeError(`Cannot watch ${options.path}: debounceMs is 0 to 60000, received ${debounceMs}`)
  }
  const path = resolve(options.path)
  return {
    name: options.path,
    async read() {
      const text = await readText(path)
      if (typeof text === 'string') return parseConfigFile(options.path, text)
      if (text.isMissing && !required) return { entries: [], problems: [] }
      return unreadable(options.path, text.message)
    },
    watch(onChange) {
      let timer: Timer | undefined
      const changed = () => {
        timer?.cancel()
        timer = deps.clock.setTimer(onChange, debounceMs)
      }
      const watcher = watchFolder(path, changed)
      return {
        [Symbol.dispose]() {
          timer?.cancel()
          watcher?.close()
        },
      }
    },
  }
}

/** Undefined when there is no folder to watch: then there is no file either, until a restart. */
function watchFolder(path: string, onChange: () => void): FSWatcher | undefined {
  const name = basename(path)
  try {
    const watcher = watch(dirname(path), { persistent: false }, (_event, file) => {
      // Kubernetes swaps the link `..data`; the platform may also keep the name to itself.
      if (file === null || file === name || file === '..data') onChange()
    })
    // A folder that goes away ends the watch; the next reload tells what is wrong with the file.
    watcher.on('error', onChange)
    return watcher
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

interface Unreadable {
  readonly message: string
  readonly isMissing: boolean
}

async function readText(path: string): Promise<string | Unreadable> {
  try {
    await using file = await open(path, 'r')
    // One byte more than is allowed tells a file that is too large from one that just fits.
    const buffer = Buffer.alloc(fileBytesMax + 1)
    let bytes = 0
    for (;;) {
      const { bytesRead } = await file.read(buffer, bytes, buffer.length - bytes)
      bytes += bytesRead
      if (bytesRead === 0 || bytes === buffer.length) break
    }
    if (bytes > fileBytesMax) return { message: `has more than ${fileBytesMax} bytes`, isMissing: false }
    return new TextDecoder('utf-8', { fatal: true }).decode(buffer.subarray(0, bytes))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return { message: 'does not exist', isMissing: true }
    return { message: error instanceof TypeError ? 'is not UTF-8' : `cannot be read: ${code}`, isMissing: false }
  }
}

function unreadable(name: string, message: string): RawDocument {
  return { entries: [], problems: [{ key: '', place: name, message }] }
}
