const { memoryStorage } = require('@lithops/core/testing')

exports.storage = { ...memoryStorage(), name: 'scoped' }
