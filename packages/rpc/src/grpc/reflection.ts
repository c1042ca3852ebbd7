import {
  create,
  type DescFile,
  type DescMessage,
  type DescService,
  fromBinary,
  type MessageInitShape,
  toBinary,
} from '@bufbuild/protobuf'
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt'
import { status as Code, type Server, type ServerDuplexStream } from '@grpc/grpc-js'
import {
  type ServerReflectionRequest,
  ServerReflectionRequestSchema,
  ServerReflectionResponseSchema,
} from '../../contract/gen/grpc/reflection/v1/reflection_pb.ts'
import { asBuffer, malformed, readMessages, sameBytes, writeMessage } from './message-stream.ts'
import { faultToStatus } from './status.ts'

type Answer = NonNullable<MessageInitShape<typeof ServerReflectionResponseSchema>['messageResponse']>

/**
 * Serves `grpc.reflection.v1` and `v1alpha` (the same messages under an older name) from the descriptors of the
 * services. `stop` ends the streams that clients hold open.
 */
export function serveReflection(server: Server, services: readonly DescService[]): { stop(): void } {
  const index = new DescriptorIndex(services)
  const streams = new Set<ServerDuplexStream<Buffer, Buffer>>()
  const serve = async (call: ServerDuplexStream<Buffer, Buffer>): Promise<void> => {
    streams.add(call)
    let over = false
    call.on('cancelled', () => {
      over = true
      streams.delete(call)
      call.destroy()
    })
    try {
      for await (const request of readMessages(call, readRequest)) {
        const answer = { validHost: request.host, originalRequest: request, messageResponse: index.answer(request) }
        const bytes = toBinary(ServerReflectionResponseSchema, create(ServerReflectionResponseSchema, answer))
        await writeMessage(call, asBuffer(bytes), () => over)
      }
      call.end()
    } catch (error) {
      if (!over) call.emit('error', faultToStatus(error))
    } finally {
      streams.delete(call)
    }
  }
  for (const version of ['v1', 'v1alpha']) {
    const path = `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`
    server.register(path, serve as never, sameBytes, sameBytes, 'bidi')
  }
  return {
    stop() {
      for (const call of streams) call.end()
    },
  }
}

function readRequest(bytes: Uint8Array): ServerReflectionRequest {
  try {
    return fromBinary(ServerReflectionRequestSchema, bytes)
  } catch (error) {
    throw malformed('a reflection request', error)
  }
}

class DescriptorIndex {
  readonly #services: readonly string[]
  readonly #files = new Map<string, DescFile>()
  readonly #bySymbol = new Map<string, DescFile>()
  readonly #extensions = new Map<string, Map<number, DescFile>>()

  constructor(services: readonly DescService[]) {
    this.#services = services.map((service) => service.typeName).sort()
    for (const service of services) this.#add(service.file)
  }

  answer(request: ServerReflectionRequest): Answer {
    const asked = request.messageRequest
    switch (asked.case) {
      case 'listServices':
        return { case: 'listServicesResponse', value: { service: this.#services.map((name) => ({ name })) } }
      case 'fileByFilename':
        return this.#file(this.#files.get(asked.value), `file ${asked.value}`)
      case 'fileContainingSymbol':
        return this.#file(this.#bySymbol.get(asked.value), `symbol ${asked.value}`)
      case 'fileContainingExtension': {
        const { containingType, extensionNumber } = asked.value
        const file = this.#extensions.get(containingType)?.get(extensionNumber)
        return this.#file(file, `extension ${extensionNumber} of ${containingType}`)
      }
      case 'allExtensionNumbersOfType': {
        const known = this.#extensions.get(asked.value)
        if (!known && !this.#bySymbol.has(asked.value)) return notFound(`type ${asked.value}`)
        const extensionNumber = [...(known?.keys() ?? [])]
        return { case: 'allExtensionNumbersResponse', value: { baseTypeName: asked.value, extensionNumber } }
      }
      case undefined:
        return failure(Code.INVALID_ARGUMENT, 'The request asks for nothing')
      default:
        return asked satisfies never
    }
  }

  /** The file and all it imports, so that a client needs no second question; each file before those it imports. */
  #file(file: DescFile | undefined, what: string): Answer {
    if (!file) return notFound(what)
    const files = new Set<DescFile>()
    const visit = (one: DescFile): void => {
      for (const dependency of one.dependencies) if (!files.has(dependency)) visit(dependency)
      files.add(one)
    }
    visit(file)
    const fileDescriptorProto = [...files].reverse().map((one) => toBinary(FileDescriptorProtoSchema, one.proto))
    return { case: 'fileDescriptorResponse', value: { fileDescriptorProto } }
  }

  #add(file: DescFile): void {
    if (this.#files.has(file.proto.name)) return
    this.#files.set(file.proto.name, file)
    for (const service of file.services) {
      this.#bySymbol.set(service.typeName, file)
      for (const method of service.methods) this.#bySymbol.set(`${service.typeName}.${method.name}`, file)
    }
    for (const message of file.messages) this.#addMessage(message)
    for (const one of file.enums) this.#bySymbol.set(one.typeName, file)
    for (const extension of file.extensions) this.#addExtension(extension.extendee.typeName, extension.number, file)
    for (const dependency of file.dependencies) this.#add(dependency)
  }

  #addMessage(message: DescMessage): void {
    this.#bySymbol.set(message.typeName, message.file)
    for (const field of message.fields) this.#bySymbol.set(`${message.typeName}.${field.name}`, message.file)
    for (const one of message.nestedEnums) this.#bySymbol.set(one.typeName, message.file)
    for (const nested of message.nestedMessages) this.#addMessage(nested)
    for (const extension of message.nestedExtensions) {
      this.#addExtension(extension.extendee.typeName, extension.number, message.file)
    }
  }

  #addExtension(type: string, number: number, file: DescFile): void {
    const known = this.#extensions.get(type) ?? new Map<number, DescFile>()
    known.set(number, file)
    this.#extensions.set(type, known)
  }
}

function notFound(what: string): Answer {
  return failure(Code.NOT_FOUND, `Cannot find ${what.slice(0, 300)}`)
}

function failure(errorCode: number, errorMessage: string): Answer {
  return { case: 'errorResponse', value: { errorCode, errorMessage } }
}
