const { memoryCompute, memoryMonitor, memoryStorage } = require('@lithops/core/testing')

exports.backend = { ...memoryCompute(), name: 'scoped' }
exports.storage = memoryStorage()
exports.monitor = memoryMonitor()
