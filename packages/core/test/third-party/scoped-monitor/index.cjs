const { memoryMonitor } = require('@lithops/core/testing')

exports.monitor = { ...memoryMonitor(), name: 'scoped' }
