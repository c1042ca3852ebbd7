/**
 * The contract suite of the bus port, and a disk that fails on demand.
 * @module
 */
export { createMemoryDisk, type DiskOperation, type MemoryDisk, type MemoryDiskOptions } from './memory-disk.ts'
export { type BusCapabilities, type BusFixture, type Capability, Heard, newMessage } from './testing/bus-fixture.ts'
export { describeBus } from './testing/describe-bus.ts'
