import { startWorker } from './start.ts'

// The worker of default images: it brings no drivers.
void startWorker(async () => ({}))
