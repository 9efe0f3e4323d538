import { FunctionExecutor } from '@lithops/core'

await using fexec = new FunctionExecutor({ backend: 'knative' })
const [extended] = await fexec.runtimes.extend({
  name: 'default',
  filepath: 'src/prices.ts',
  function: 'priceOf',
})
console.log(extended?.name, extended?.isBuilt) // for `runtime` of a config; false when nothing was to be built
