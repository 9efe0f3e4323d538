exports.cases = [
  { name: '__filename', fn: () => __filename, expected: __filename },
  { name: '__dirname', fn: () => __dirname, expected: __dirname },
]
