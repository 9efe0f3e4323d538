const { parentPort } = require('node:worker_threads')
parentPort.postMessage('up')
parentPort.on('message', message => parentPort.postMessage(message))
