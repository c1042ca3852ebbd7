import type { Random } from '@plinth/base'
import type { Disk, DiskFile } from './disk.ts'
import { messagingFault } from './faults.ts'

/** What a disk is asked to do, told to the hook that may make it fail. */
export interface DiskOperation {
  readonly kind: 'open' | 'write' | 'sync' | 'truncate' | 'remove' | 'syncFolder'
  readonly path: string
  readonly bytes: number
}

/** How a disk in memory behaves. */
export interface MemoryDiskOptions {
  /** Called before every operation; what it throws is what the operation fails with. */
  readonly onOperation?: (operation: DiskOperation) => void
  /** Past it writes fail with ENOSPC after writing what fits, as a full disk does. @default Infinity */
  readonly bytesMax?: number
}

/** A disk in memory that can lose what was not synced. */
export interface MemoryDisk extends Disk {
  /**
   * What a power cut does: of the writes since the last sync some survive, whole, torn or not at all, in no order.
   * Answers the disk as it is after the next start; on this one everything fails from now on. Names of files are
   * kept, as if every folder were synced.
   */
  crash(random: Random): MemoryDisk
  /** The bytes of a file as they stand now. */
  bytesOf(path: string): Buffer
  /** Changes a file behind everybody's back. */
  overwrite(path: string, bytes: Uint8Array): void
  /** Changes the room. */
  resize(bytesMax: number): void
}

interface Write {
  readonly at: number
  readonly bytes: Uint8Array
}

class MemoryFile {
  content: Buffer = Buffer.alloc(0)
  size = 0
  synced: Buffer = Buffer.alloc(0)
  unsynced: Write[] = []

  write({ at, bytes }: Write): void {
    this.unsynced.push({ at, bytes: Uint8Array.from(bytes) })
    this.#put({ at, bytes })
  }

  truncate(size: number): void {
    // A cut is made durable at once: the log always syncs after it, and what a lost one leaves is a torn tail again.
    if (size < this.size) this.content.fill(0, size, this.size)
    else this.#reserve(size)
    this.size = size
    this.sync()
  }

  sync(): void {
    if (this.unsynced.length === 1 && this.unsynced[0]?.at === this.synced.length) {
      this.synced = Buffer.concat([this.synced, this.unsynced[0].bytes])
    } else this.synced = Buffer.from(this.content.subarray(0, this.size))
    this.unsynced = []
  }

  crash(random: Random): void {
    const writes = this.unsynced
    this.set(this.synced)
    for (const { at, bytes } of writes) {
      const fate = random.int(3)
      if (fate === 0) continue
      this.#put({ at, bytes: fate === 1 ? bytes : bytes.subarray(0, random.int(bytes.length + 1)) })
    }
    this.sync()
  }

  set(bytes: Uint8Array): void {
    this.content = Buffer.from(bytes)
    this.size = bytes.length
    this.unsynced = []
  }

  #put({ at, bytes }: Write): void {
    this.#reserve(at + bytes.length)
    this.content.set(bytes, at)
    this.size = Math.max(this.size, at + bytes.length)
  }

  #reserve(size: number): void {
    if (size <= this.content.length) return
    const larger = Buffer.alloc(Math.max(size, this.content.length * 2))
    this.content.copy(larger, 0, 0, this.size)
    this.content = larger
  }
}

/** Makes an empty disk. */
export function createMemoryDisk(options: MemoryDiskOptions = {}): MemoryDisk {
  return boot(new Map(), { bytesMax: options.bytesMax ?? Infinity, ...options })
}

function boot(files: Map<string, MemoryFile>, options: MemoryDiskOptions & { bytesMax: number }): MemoryDisk {
  const locks = new Set<string>()
  const room = { bytesMax: options.bytesMax }
  let alive = true
  const checkAlive = (path: string) => {
    if (!alive) throw systemError('EIO', path)
  }
  const hook = (kind: DiskOperation['kind'], path: string, bytes = 0) => {
    checkAlive(path)
    options.onOperation?.({ kind, path, bytes })
  }
  const used = () => files.values().reduce((sum, file) => sum + file.size, 0)
  const fileAt = (path: string) => {
    const file = files.get(path)
    if (file === undefined) throw systemError('ENOENT', path)
    return file
  }
  return {
    async open(path) {
      hook('open', path)
      return handleOf(
        files.getOrInsertComputed(path, () => new MemoryFile()),
        { path, hook, room, used, check: () => checkAlive(path) },
      )
    },
    async makeFolder() {},
    async list(folder) {
      return [...files.keys()]
        .filter((path) => path.startsWith(`${folder}/`))
        .map((path) => path.slice(folder.length + 1))
    },
    async remove(path) {
      hook('remove', path)
      if (!files.delete(path)) throw systemError('ENOENT', path)
    },
    async syncFolder(path) {
      hook('syncFolder', path)
    },
    async lock(path) {
      if (locks.has(path)) throw messagingFault('messaging.folder_locked', `Cannot open the log: ${path} is in use`)
      locks.add(path)
      return {
        async [Symbol.asyncDispose]() {
          locks.delete(path)
        },
      }
    },
    crash(random) {
      alive = false
      for (const file of files.values()) file.crash(random)
      return boot(files, { ...options, ...room })
    },
    bytesOf: (path) => Buffer.from(fileAt(path).content.subarray(0, fileAt(path).size)),
    overwrite(path, bytes) {
      const file = fileAt(path)
      file.set(bytes)
      file.sync()
    },
    resize(bytesMax) {
      room.bytesMax = bytesMax
    },
  }
}

interface HandleHost {
  readonly path: string
  readonly hook: (kind: DiskOperation['kind'], path: string, bytes?: number) => void
  readonly room: { readonly bytesMax: number }
  used(): number
  /** Throws once the power is cut. */
  check(): void
}

function handleOf(file: MemoryFile, host: HandleHost): DiskFile {
  const { path, hook } = host
  return {
    async write(bytes, at) {
      hook('write', path, bytes.length)
      const grows = Math.max(0, at + bytes.length - file.size)
      const fits = host.room.bytesMax === Infinity ? grows : Math.min(grows, host.room.bytesMax - host.used())
      file.write({ at, bytes: fits === grows ? bytes : bytes.subarray(0, Math.max(0, bytes.length - grows + fits)) })
      if (fits < grows) throw systemError('ENOSPC', path)
    },
    async read(into, at) {
      host.check()
      const end = Math.min(file.size, at + into.length)
      if (end <= at) return 0
      into.set(file.content.subarray(at, end))
      return end - at
    },
    async sync() {
      hook('sync', path)
      // Like a real sync it takes a turn of the event loop, so that nobody can write for ever within one.
      await new Promise((resolve) => setImmediate(resolve))
      host.check()
      file.sync()
    },
    async truncate(size) {
      hook('truncate', path)
      file.truncate(size)
    },
    size: async () => file.size,
    close: async () => {},
  }
}

function systemError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code, syscall: 'memory' })
}
