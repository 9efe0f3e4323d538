// A whole program of faast.js: one call, then the end. Exits as its own short programs must.
process.env.FAAST_SILENT = '1'
const { faastLocal } = require('faastjs')
const functions = require('./functions.cjs')

const childProcess = process.argv[2] !== 'in-process'
faastLocal(functions, { gc: 'off', childProcess }).then(async faast => {
  console.log((await faast.functions.noop(1)) + 1)
  await faast.cleanup()
  process.exit(0)
})
