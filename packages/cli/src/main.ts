import module from 'node:module'

// of Node 22.8 and newer, which keeps what it has compiled from then on: what follows is loaded in half of the time
const { enableCompileCache } = module as { readonly enableCompileCache?: () => unknown }
enableCompileCache?.()
await import('./command.ts')
