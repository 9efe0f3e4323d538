export { awsLambdaRic, type RuntimeInterfaceClient } from './aws-lambda-ric.ts'
export { type AzuriteServer, azurite, azuriteWithTokens } from './azurite.ts'
export { cephRgw } from './ceph-rgw.ts'
export { type ContainerTools, containerTools } from './container-tools.ts'
export {
  type ContainerRegistry,
  dockerRegistry,
  dockerRegistryWithPassword,
  type GuardedContainerRegistry,
} from './docker-registry.ts'
export { fakeGcs, type GcsServer } from './fake-gcs.ts'
export { findProgram, PARTS_FOLDER } from './find-program.ts'
export {
  type KubernetesApi,
  type KubernetesAuditEntry,
  kubernetesApi,
  loopbackCertificate,
} from './kubernetes.ts'
export { type KubernetesCluster, kubernetesCluster } from './kubernetes-cluster.ts'
export { minio } from './minio.ts'
export { moto } from './moto.ts'
export { type RabbitServer, type RabbitTlsServer, rabbitmq, rabbitmqTls } from './rabbitmq.ts'
export { defineRealPart, type RealPart, type RunningPart } from './real-part.ts'
export { type RedisServer, type RedisTlsServer, redis, redisTls } from './redis.ts'
export type { S3Server } from './s3-server.ts'
export { accepts, answers, freePort, inFolder, ServerProcess } from './server-process.ts'
export { withRealPart } from './with-real-part.ts'
