import { startWorker } from './start.ts'

// The worker of default images: it brings no drivers.
await startWorker(import.meta.url, async () => ({}))
