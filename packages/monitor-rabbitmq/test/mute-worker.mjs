// A worker process of the platform in mute-backend.ts: runs the activations that it is handed, and replies nothing.
import { CloudWorker } from '@lithops/core/worker'
import { publisher } from '@lithops/monitor-rabbitmq/worker'
import { storage } from '@lithops/storage-redis'

const worker = new CloudWorker({
  workerId: `mute-${process.pid}`,
  monitors: [publisher],
  storages: [storage],
})

process.on('message', payload => {
  worker.run(payload, { isReplyAwaited: false }).then(
    () => process.send({}),
    error => process.send({ error: String(error) }),
  )
})
