import { constants } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, unlink } from 'node:fs/promises'
import { lockFolder } from './folder-lock.ts'

/** An open file. Positions and sizes are bytes from its start. */
export interface DiskFile {
  /** Writes all of `bytes` at `at`. Not durable before `sync`. */
  write(bytes: Uint8Array, at: number): Promise<void>
  /** Reads up to `into.length` bytes at `at`; answers how many there were, fewer only at the end of the file. */
  read(into: Uint8Array, at: number): Promise<number>
  /** Makes what was written durable, with what is needed to read it again (`fdatasync`). */
  sync(): Promise<void>
  truncate(size: number): Promise<void>
  size(): Promise<number>
  close(): Promise<void>
}

/**
 * The disk as a parameter: the log touches files through this alone, so that tests and simulation can tear writes,
 * fill the disk and lose what was not synced. Errors are those of `node:fs`, told apart by `code` (`ENOSPC`, `EIO`).
 */
export interface Disk {
  /** Opens for reading and writing; makes the file if it is missing. */
  open(path: string): Promise<DiskFile>
  /** Makes a folder and its parents; an existing one is fine. */
  makeFolder(path: string): Promise<void>
  /** The names in a folder, in no order. */
  list(path: string): Promise<readonly string[]>
  remove(path: string): Promise<void>
  /** Makes names durable: files made in and removed from the folder. */
  syncFolder(path: string): Promise<void>
  /** Takes the folder for this process, or throws `messaging.folder_locked`. Ends when released or the process dies. */
  lock(path: string): Promise<AsyncDisposable>
}

/** The machine's own disk. */
export const systemDisk: Disk = {
  async open(path) {
    return fileOf(await open(path, constants.O_RDWR | constants.O_CREAT, 0o600))
  },
  async makeFolder(path) {
    await mkdir(path, { recursive: true, mode: 0o700 })
  },
  list: (path) => readdir(path),
  remove: (path) => unlink(path),
  async syncFolder(path) {
    // Windows cannot open a folder; its file system journals names itself.
    if (process.platform === 'win32') return
    await using handle = await open(path, 'r')
    await handle.sync()
  },
  async lock(path) {
    return lockFolder(path)
  },
}

function fileOf(handle: FileHandle): DiskFile {
  return {
    async write(bytes, at) {
      let done = 0
      while (done < bytes.length) {
        done += (await handle.write(bytes, done, bytes.length - done, at + done)).bytesWritten
      }
    },
    async read(into, at) {
      let done = 0
      while (done < into.length) {
        const { bytesRead } = await handle.read(into, done, into.length - done, at + done)
        if (bytesRead === 0) break
        done += bytesRead
      }
      return done
    },
    sync: () => handle.datasync(),
    truncate: (size) => handle.truncate(size),
    size: async () => (await handle.stat()).size,
    close: () => handle.close(),
  }
}
