export const ready = await new Promise<string>(resolve => setTimeout(resolve, 1, 'ready'))
const loaded = await import('node:os')
export const answer = () => (loaded.EOL === '\n' ? 42 : 0)
