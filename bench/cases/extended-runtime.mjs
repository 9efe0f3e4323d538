import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { containersBackend, layWorker } from '../lib/containers.mjs'
import { loadCore } from '../lib/ours.mjs'

const CODE_BYTES = 10_000_000

/** A module whose function needs 10 MB of code: many small functions, as packages have them. */
function largeModule() {
  const parts = []
  let bytes = 0
  for (let i = 0; bytes < CODE_BYTES; i++) {
    const part = `  (a, b) => { if (a > ${i}) { const text = 'words of function ${i}, as in a catalogue of messages'; return text.length * b } return [a, b, ${i}].map(x => x * 2) },\n`
    parts.push(part)
    bytes += part.length
  }
  return `const all = [\n${parts.join('')}]\nexport function first(i) {\n  const at = Date.now()\n  return [at, all[i % all.length](1, 2) !== undefined]\n}\n`
}

const contender = (name, kind, { isExtended }) => ({
  name,
  kind,
  async run({ samples }) {
    const { exported, FunctionExecutor } = await loadCore()
    const folder = mkdtempSync(join(tmpdir(), 'bench-extended-'))
    try {
      const file = join(folder, 'maps.mjs')
      writeFileSync(file, largeModule())
      const url = pathToFileURL(file).href
      // as an export, which is how extended runtimes have their functions
      const first = exported((await import(url)).first, url)
      const image = join(folder, 'image')
      layWorker(image)
      let sent = 0
      const once = async () => {
        const backend = await containersBackend({
          containers: 1,
          concurrency: 1,
          image,
          ...(isExtended ? { bakesFunctions: true } : {}),
        })
        const { invoke } = backend
        backend.invoke = (activation, options) => {
          sent = activation.payload.length
          return invoke(activation, options)
        }
        const fexec = new FunctionExecutor({ backend })
        const start = Date.now()
        const [at] = await fexec.callAsync(first, 1)
        await fexec.close()
        await backend.close()
        return at - start
      }
      // bundles the function, and puts it into the image
      await once()
      const rows = []
      for (let i = 0; i < samples; i++) rows.push({ wall: await once(), kib: sent / 1024 })
      return rows
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
})

export const benchCase = {
  title:
    'The first call of a function with 10 MB of code, on containers that are ready: from the call to the first line of user code. ' +
    'The aim is a fifth of the shipped one with an extended runtime',
  rounds: { full: 3, quick: 1 },
  samples: { full: 7, quick: 2 },
  metrics: [
    { name: 'wall', label: 'until user code', unit: 'ms', better: 'lower' },
    { name: 'kib', label: 'on the wire', unit: 'KiB', better: 'lower', target: { max: 4 } },
  ],
  contenders: [
    contender('ours, an extended runtime', 'ours', { isExtended: true }),
    contender('the same function shipped', 'peer', { isExtended: false }),
  ],
}
