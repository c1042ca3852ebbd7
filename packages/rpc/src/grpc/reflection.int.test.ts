import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { create, createFileRegistry, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import { Client, credentials, Metadata, status } from '@grpc/grpc-js'
import fc from 'fast-check'
import {
  ServerReflectionRequestSchema,
  type ServerReflectionResponse,
  ServerReflectionResponseSchema,
} from '../../contract/gen/grpc/reflection/v1/reflection_pb.ts'
import { createProbeDispatcher } from '../testing/probe-service.ts'
import { createGrpcServer } from './server.ts'

type Question = NonNullable<MessageInitShape<typeof ServerReflectionRequestSchema>['messageRequest']>
type Encoded = Buffer

/** Asks one question after the other on one stream, as grpcurl does, with a client made by hand. */
async function ask(address: string, version: string, questions: readonly Question[]) {
  const client = new Client(address, credentials.createInsecure())
  const path = `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`
  const same = (bytes: Encoded) => bytes
  const stream = client.makeBidiStreamRequest(path, same, same, new Metadata(), { deadline: Date.now() + 5000 })
  const answers: ServerReflectionResponse[] = []
  for (const messageRequest of questions) {
    const request = create(ServerReflectionRequestSchema, { host: 'h', messageRequest })
    stream.write(Buffer.from(toBinary(ServerReflectionRequestSchema, request)))
  }
  stream.end()
  for await (const bytes of stream) answers.push(fromBinary(ServerReflectionResponseSchema, bytes as Buffer))
  client.close()
  return answers
}

function codeOf(answer: ServerReflectionResponse | undefined): number | undefined {
  return answer?.messageResponse.case === 'errorResponse' ? answer.messageResponse.value.errorCode : undefined
}

describe('serveReflection()', () => {
  for (const version of ['v1', 'v1alpha']) {
    it(`reflection ${version} gives a stranger all it needs to call`, async () => {
      await using server = await createGrpcServer(createProbeDispatcher(), { port: 0 })
      const service = 'plinth.rpc.testing.v1.ProbeService'
      const [list, file] = await ask(server.address, version, [
        { case: 'listServices', value: '' },
        { case: 'fileContainingSymbol', value: service },
      ])
      assert.ok(list?.messageResponse.case === 'listServicesResponse')
      assert.deepEqual(
        list.messageResponse.value.service.map(({ name }) => name),
        [service],
      )
      assert.equal(list.validHost, 'h')
      assert.ok(file?.messageResponse.case === 'fileDescriptorResponse')
      const protos = file.messageResponse.value.fileDescriptorProto.map((bytes) =>
        fromBinary(FileDescriptorProtoSchema, bytes),
      )
      const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: protos.toReversed() }))
      const method = registry.getService(service)?.methods.find(({ name }) => name === 'Chat')
      assert.equal(method?.methodKind, 'bidi_streaming')
      assert.equal(method?.input.fields.length, 17)
    })
  }

  it('reflection answers every kind of question, and NOT_FOUND for strangers', async () => {
    await using server = await createGrpcServer(createProbeDispatcher(), { port: 0 })
    const answers = await ask(server.address, 'v1', [
      { case: 'fileByFilename', value: 'plinth/type/v1/nothing.proto' },
      { case: 'fileByFilename', value: 'plinth/rpc/v1/policy.proto' },
      { case: 'fileContainingSymbol', value: 'plinth.rpc.testing.v1.ProbeService.Echo' },
      { case: 'fileContainingSymbol', value: 'plinth.rpc.testing.v1.Mood' },
      {
        case: 'fileContainingExtension',
        value: { containingType: 'google.protobuf.MethodOptions', extensionNumber: 50501 },
      },
      { case: 'allExtensionNumbersOfType', value: 'google.protobuf.MethodOptions' },
      { case: 'allExtensionNumbersOfType', value: 'no.Such' },
      { case: undefined },
    ])
    assert.deepEqual(answers.map(codeOf), [
      status.NOT_FOUND,
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
      status.NOT_FOUND,
      status.INVALID_ARGUMENT,
    ])
    const numbers = answers[5]?.messageResponse
    assert.ok(numbers?.case === 'allExtensionNumbersResponse' && numbers.value.extensionNumber.includes(50501))
  })

  it('reflection survives any bytes', async () => {
    await using server = await createGrpcServer(createProbeDispatcher(), { port: 0 })
    const client = new Client(server.address, credentials.createInsecure())
    const path = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo'
    const same = (bytes: Encoded) => bytes
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 60 }), async (bytes) => {
        const stream = client.makeBidiStreamRequest(path, same, same, new Metadata(), { deadline: Date.now() + 5000 })
        const done = new Promise<number>((resolve) => stream.on('status', ({ code }) => resolve(code)))
        stream.on('error', () => {})
        stream.on('data', () => {})
        stream.write(Buffer.from(bytes))
        stream.end()
        assert.ok([status.OK, status.INVALID_ARGUMENT].includes(await done))
      }),
      { numRuns: 100 },
    )
    client.close()
  })
})
