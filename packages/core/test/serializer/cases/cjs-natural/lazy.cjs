exports.lazy = 'lazy'
