import { WorkerConnections } from '@lithops/container-runtime'
import type { Activation, InvokeOptions } from '@lithops/core/driver'

const connections = new WorkerConnections({ origin: 'http://10.0.0.7', host: 'worker.default.example.com' })

/** What `invoke` of a backend comes down to. */
export async function invoke(activation: Activation, { signal, onReply }: InvokeOptions): Promise<void> {
  await connections.run({
    payload: activation.payload,
    goesOnAlone: activation.repliesElsewhere ?? false,
    signal,
    onReply,
  })
}
